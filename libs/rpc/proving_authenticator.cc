#include "libs/rpc/proving_authenticator.h"

#include <fmt/format.h>

#include <iterator>

#include "absl/strings/match.h"
#include "libs/base/peer_address.h"
#include "libs/rpc/tls_credentials.h"

namespace ridestream::rpc {
namespace {

constexpr char kAuthorization[] = "authorization";

}  // namespace

absl::StatusOr<Proof> ProvingAuthenticator::Authenticate(
    const grpc::ServerContextBase& context) const {
  const absl::StatusOr<std::string> service = PeerService(*context.auth_context());
  if (!service.ok()) return service.status();
  // Reads only the initial metadata.
  const auto [first, last] = context.client_metadata().equal_range(kAuthorization);
  if (!kTokenCarriers.contains(*service)) {
    if (first == last) return LastingProof({CallerKind::kService, *service});
    return absl::UnauthenticatedError(
        fmt::format("metadata '{}': service/{} may not call on behalf of another caller",
                    kAuthorization, *service));
  }
  if (first == last) {
    return absl::UnauthenticatedError(
        fmt::format("metadata '{}' is missing; send 'Bearer TOKEN'", kAuthorization));
  }
  if (std::next(first) != last) {
    return absl::UnauthenticatedError(
        fmt::format("metadata '{}' was sent more than once", kAuthorization));
  }
  constexpr absl::string_view kScheme = "bearer ";
  absl::string_view token(first->second.data(), first->second.size());
  if (!absl::StartsWithIgnoreCase(token, kScheme)) {
    return absl::UnauthenticatedError(
        fmt::format("metadata '{}' must be 'Bearer TOKEN'", kAuthorization));
  }
  token.remove_prefix(kScheme.size());
  return tokens_.Verify({token.data(), token.size()});
}

std::string ProvingAuthenticator::ClientPeer(const grpc::ServerContextBase& context) const {
  const auto [first, last] = context.client_metadata().equal_range(kForwardedForKey);
  if (first == last || std::next(first) != last) return context.peer();
  const absl::StatusOr<std::string> service = PeerService(*context.auth_context());
  if (!service.ok() || *service != kTrustedProxy) return context.peer();
  return PeerOfHost({first->second.data(), first->second.size()}).value_or(context.peer());
}

absl::Status ProvingAuthenticator::CheckOpenStream(const Proof& proof) const {
  // A service's connection proves its identity for as long as it is open.
  if (proof.principal.role == CallerKind::kService) return absl::OkStatus();
  return tokens_.CheckOpenStream(proof);
}

}  // namespace ridestream::rpc
