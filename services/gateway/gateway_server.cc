#include "services/gateway/gateway_server.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "libs/identity/development_authority.h"
#include "libs/identity/reloaded_file.h"
#include "libs/service/market_addresses.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/market/v1/market.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/gateway/call/services.h"
#include "services/gateway/credentials/credentials.h"
#include "services/gateway/gateway_metrics.h"

namespace ridestream::gateway {
namespace {

/// Adds the services that these files declare, all reached by the same addresses.
absl::Status Connect(Services& services, const std::string& flag, const std::string& text,
                     const rpc::Security& security,
                     const std::vector<const google::protobuf::FileDescriptor*>& files,
                     bool retried, bool markets_have_health = false) {
  auto addresses = service::MarketAddresses::Parse(flag, text);
  if (!addresses.ok()) return addresses.status();
  std::vector<std::string> names;
  for (const auto* file : files) {
    const std::vector<std::string> more = Services::Names(*file);
    if (retried) names.insert(names.end(), more.begin(), more.end());
  }
  const auto channels = std::make_shared<MarketChannels>(
      MarketChannels::Options{.addresses = *std::move(addresses),
                              .retried_services = std::move(names),
                              .credentials = security.ForChannel(flag),
                              .markets_have_health = markets_have_health});
  for (const auto* file : files) services.Add(*file, channels);
  return absl::OkStatus();
}

/// All calls of trip and location are idempotent and are retried. Drivers reconnect their own
/// streams to dispatch.
absl::StatusOr<Services> ConnectServices(const GatewayServer::Options& options,
                                         const rpc::Security& security,
                                         rpc::CallObserver* observer) {
  Services services(observer);
  absl::Status status =
      Connect(services, "trip", options.trip, security,
              {trip::v1::Trip::descriptor()->file(), market::v1::Market::descriptor()->file()},
              /*retried=*/true);
  if (status.ok()) {
    status = Connect(services, "location", options.location, security,
                     {location::v1::NearbyDriver::descriptor()->file()},
                     /*retried=*/true);
  }
  if (status.ok()) {
    status = Connect(services, "dispatch", options.dispatch, security,
                     {dispatch::v1::DriveRequest::descriptor()->file()},
                     /*retried=*/false, /*markets_have_health=*/true);
  }
  if (!status.ok()) return status;
  return services;
}

/// Refuses plain HTTP beyond loopback, where tokens and cookies could be read on the network,
/// unless the options ask for it.
absl::Status CheckExposure(const GatewayServer::Options& options) {
  const auto host = HostName(options.address);
  if (options.security.insecure || options.plain_http || !options.https_certificate.empty() ||
      (host && IsLoopback(*host))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      fmt::format("--listen={}: would carry tokens in plain HTTP beyond loopback. Set "
                  "--https_certificate, or --plain_http if clients reach this port only through a "
                  "proxy that speaks TLS or a port published on loopback",
                  options.address));
}

/// The scheme decides how cookies are protected, so it must be the one that browsers use.
absl::Status CheckPublicUrl(const GatewayServer::Options& options) {
  if (options.public_url.empty()) return absl::OkStatus();
  if (AfterScheme(options.public_url).empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "--public_url={}: must begin with https:// or http:// and a host", options.public_url));
  }
  if (options.public_url.starts_with(kHttp) && !options.https_certificate.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("--public_url={}: must begin with https://, since this port speaks TLS with "
                    "--https_certificate",
                    options.public_url));
  }
  return absl::OkStatus();
}

absl::StatusOr<Pseudonyms> MakePseudonyms(const GatewayServer::Options& options) {
  std::string path = options.pseudonym_key;
  if (path.empty() && !options.security.insecure && !options.sign_in_authority.empty()) {
    path = options.sign_in_authority + "/tokens.jwk";
  }
  if (path.empty()) return Pseudonyms::Random();
  const auto secret = identity::ReadWholeFile(path, /*max_bytes=*/64 << 10);
  if (!secret.ok()) {
    return absl::Status(secret.status().code(),
                        fmt::format("{}: {}", path, std::string(secret.status().message())));
  }
  auto pseudonyms = Pseudonyms::FromSecret(*secret);
  if (!pseudonyms.ok()) {
    return absl::Status(pseudonyms.status().code(),
                        fmt::format("{}: {}", path, std::string(pseudonyms.status().message())));
  }
  return pseudonyms;
}

absl::StatusOr<identity::TokenSigner> ReadSessionKey(const std::string& path) {
  const auto blame = [&](const absl::Status& status) {
    return absl::Status(status.code(),
                        fmt::format("--session_key={}: {}", path, std::string(status.message())));
  };
  const auto jwk = identity::ReadWholeFile(path, /*max_bytes=*/64 << 10);
  if (!jwk.ok()) return blame(jwk.status());
  auto signer = identity::TokenSigner::FromPrivateJwk(*jwk);
  if (!signer.ok()) return blame(signer.status());
  return signer;
}

/// Replaces a wildcard address, which browsers can't open: "0.0.0.0:7000" becomes "127.0.0.1:7000".
std::string Reachable(const std::string& address) {
  for (const std::string_view any : {"0.0.0.0:", "[::]:"}) {
    if (address.starts_with(any)) return "127.0.0.1:" + address.substr(any.size());
  }
  return address;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GatewayServer>> GatewayServer::Start(Options options) {
  if (absl::Status status = CheckExposure(options); !status.ok()) return status;
  if (absl::Status status = CheckPublicUrl(options); !status.ok()) return status;
  auto security = rpc::Security::Start(options.security, "gateway");
  if (!security.ok()) return security.status();
  std::unique_ptr<GatewayServer> server(new GatewayServer(options, *std::move(security)));
  if (absl::Status status = server->OpenSessions(options); !status.ok()) return status;
  if (absl::Status status = server->MakeAnonymizer(options); !status.ok()) return status;
  if (absl::Status status = server->Serve(std::move(options)); !status.ok()) return status;
  return server;
}

GatewayServer::GatewayServer(const Options& options, std::unique_ptr<rpc::Security> security)
    : listen_(options.address),
      public_url_(options.public_url),
      drain_grace_(options.drain_grace),
      security_(std::move(security)),
      metrics_("gateway",
               {"ridestream.trip.v1.TripService", "ridestream.market.v1.MarketService",
                "ridestream.location.v1.LocationService", "ridestream.dispatch.v1.DispatchService"},
               options.metrics_listen),
      http_metrics_(metrics_.registry()) {}

GatewayServer::~GatewayServer() {
  if (oidc_ != nullptr) oidc_->Stop();
}

absl::Status GatewayServer::OpenSessions(const Options& options) {
  const bool has_codes = !options.sign_in_authority.empty();
  const bool has_provider = !options.oidc.provider.issuer.empty();
  if (has_provider && options.security.insecure) {
    return absl::InvalidArgumentError(
        "--oidc_issuer: with --insecure, everybody is trusted and nobody signs in");
  }
  if (has_provider && options.session_key.empty() && !has_codes) {
    return absl::InvalidArgumentError(
        "--session_key: --oidc_issuer needs it, or --sign_in_authority in development");
  }
  if (!has_provider && !options.session_key.empty()) {
    return absl::InvalidArgumentError("--session_key: is for --oidc_issuer, which isn't set");
  }
  if (options.security.insecure || (!has_provider && !has_codes)) return absl::OkStatus();
  auto signer = options.session_key.empty()
                    ? identity::DevelopmentAuthority::ReadSigner(options.sign_in_authority)
                    : ReadSessionKey(options.session_key);
  if (!signer.ok()) return signer.status();
  auto again = identity::TokenSigner::FromPrivateJwk(signer->PrivateJwk());
  if (!again.ok()) return again.status();
  auto sessions =
      BrowserSessions::Make(*std::move(signer), options.security.tokens.rules, wall_, has_codes);
  if (!sessions.ok()) return sessions.status();
  sessions_ = *std::move(sessions);
  return has_provider ? OfferSignIn(options, *std::move(again)) : absl::OkStatus();
}

absl::Status GatewayServer::OfferSignIn(const Options& options, identity::TokenSigner signer) {
  const auto token = sessions_->MintToken({}, "viewer/check");
  if (!token.ok()) return token.status();
  if (const auto claims = security_->tokens()->Verify(*token); !claims.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("--session_key: the services would refuse its tokens. --token_keys must "
                    "contain its public half: {}",
                    std::string(claims.status().message())));
  }
  const auto host = HostName(options.address);
  if (public_url_.empty() && !(host && IsLoopback(*host))) {
    return absl::InvalidArgumentError(
        "--public_url: --oidc_issuer needs it, since the provider sends browsers back there");
  }
  auto oidc = OidcSignIn::Make(options.oidc, std::move(signer), options.security.tokens.rules,
                               *sessions_, wall_);
  if (!oidc.ok()) return oidc.status();
  oidc_ = *std::move(oidc);
  // Without a public URL, Serve sets the origin from the port.
  return public_url_.empty() ? absl::OkStatus() : oidc_->SetOrigin(public_url_);
}

absl::Status GatewayServer::MakeAnonymizer(const Options& options) {
  auto pseudonyms = MakePseudonyms(options);
  if (!pseudonyms.ok()) return pseudonyms.status();
  anonymizer_ = std::make_unique<Anonymizer>(*std::move(pseudonyms),
                                             /*keep_traces=*/!options.trace_url.empty());
  return absl::OkStatus();
}

absl::Status GatewayServer::Serve(Options options) {
  auto services = ConnectServices(options, *security_, metrics_.calls());
  if (!services.ok()) return services.status();
  const identity::TokenVerifier* const tokens = security_->tokens();  // Null if insecure.
  auto gateway = Gateway::Make(
      {.services = *std::move(services),
       .origins = std::move(options.origins),
       .hosts = std::move(options.hosts),
       .files = std::move(options.files),
       .credentials = tokens == nullptr ? Credentials(*anonymizer_)
                                        : Credentials(*anonymizer_, *tokens, sessions_.get()),
       .oidc = oidc_.get(),
       .trace_url = options.trace_url,
       .https = public_url_.starts_with(kHttps) || !options.https_certificate.empty(),
       .web = {.default_timeout = options.default_timeout,
               .max_message_bytes = options.limits.body_bytes,
               .hello_time = options.limits.header_time},
       .rest = {.default_timeout = options.default_timeout}});
  if (!gateway.ok()) return gateway.status();
  gateway_ = *std::move(gateway);
  if (!options.https_certificate.empty()) {
    auto certificate = HttpsCertificate::Load(options.https_certificate);
    if (!certificate.ok()) return certificate.status();
    certificate_ = *std::move(certificate);
  }
  auto server = HttpServer::Start(
      {.address = listen_,
       .threads = options.threads,
       .limits = options.limits,
       .certificate = certificate_.get(),
       .handler = [this](const std::shared_ptr<Exchange>& exchange) { gateway_->Serve(exchange); },
       .observer = &http_metrics_});
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  if (sessions_ != nullptr) sessions_->SetUrl(Url());
  if (oidc_ != nullptr && public_url_.empty()) {
    if (absl::Status status = oidc_->SetOrigin(Url()); !status.ok()) return status;
  }
  metrics_.AddSecurity(*security_, certificate_ == nullptr ? nullptr : &certificate_->file());
  AddReadings(metrics_.readings(), *server_, options.limits);
  auto exporter = metrics_.Serve();
  if (!exporter.ok()) return exporter.status();
  exporter_ = *std::move(exporter);
  return absl::OkStatus();
}

std::string GatewayServer::Url() const {
  if (!public_url_.empty()) return public_url_;
  return std::string(certificate_ == nullptr ? kHttp : kHttps) + Reachable(address());
}

std::string GatewayServer::page() const {
  return sessions_ == nullptr || !sessions_->has_codes() ? Url() : sessions_->Address();
}

void GatewayServer::Drain() {
  gateway_->StartDrain();
  // A sign-in that waits for the provider could hold its connection for longer than the grace
  // period.
  if (oidc_ != nullptr) oidc_->Stop();
  server_->Drain(drain_grace_);
}

}  // namespace ridestream::gateway
