#include "libs/rpc/security.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "libs/identity/policy.h"
#include "libs/service/service.h"

namespace ridestream::rpc {

absl::StatusOr<std::unique_ptr<Security>> Security::Start(Options options,
                                                          std::string_view service) {
  std::unique_ptr<Security> security(new Security());
  if (options.insecure) {
    security->authenticator_ = std::make_unique<TrustingAuthenticator>();
    service::Log(service::Level::kWarning, "insecure",
                 {{"meaning", "no TLS; every caller is believed to be who it says it is"}});
  } else {
    auto tls = TlsCredentials::Load(std::move(options.tls));
    if (!tls.ok()) return tls.status();
    security->tls_ = *std::move(tls);
    if (security->tls_->service() != service) {
      return absl::InvalidArgumentError(fmt::format("--tls_certificate names service/{}, not {}",
                                                    security->tls_->service(), service));
    }
    auto tokens = identity::TokenVerifier::Start(std::move(options.tokens), security->wall_);
    if (!tokens.ok()) return tokens.status();
    security->tokens_ = *std::move(tokens);
    security->authenticator_ = std::make_unique<ProvingAuthenticator>(*security->tokens_);
  }
  security->limited_.emplace(*security->authenticator_, options.max_calls_per_s);
  return security;
}

void Security::Secure(ServerOptions& server, const std::vector<std::string>& served) const {
  if (tls_ == nullptr) return;
  std::set<std::string> clients = identity::ServicesListed(served);
  clients.insert(kTokenCarriers.begin(), kTokenCarriers.end());
  clients.insert(tls_->service());  // The container's health probe has no other certificate.
  server.credentials = tls_->ForServer(std::move(clients));
  // A service passes on its own decision, or that of the gateway. The door passes on what strangers
  // send.
  server.may_force_sampling = [](const grpc::ServerContextBase& context) {
    const absl::StatusOr<std::string> service = PeerService(*context.auth_context());
    return service.ok() && *service != kTrustedProxy;
  };
}

std::shared_ptr<grpc::ChannelCredentials> Security::ForChannel(const std::string& service) const {
  return tls_ == nullptr ? nullptr : tls_->ForChannel({service});
}

std::uint64_t Security::file_failures() const {
  return tls_ == nullptr ? 0 : tls_->failures() + tokens_->failures();
}

bool Security::files_stale() const {
  return tls_ != nullptr && (tls_->stale() || tokens_->stale());
}

std::uint64_t Security::peers_refused() const { return tls_ == nullptr ? 0 : tls_->refused(); }

}  // namespace ridestream::rpc
