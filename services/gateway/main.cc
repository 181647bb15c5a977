// Turns flags into the options of a GatewayServer, and runs it until a signal comes.

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/rpc/grpc_library.h"
#include "libs/rpc/security_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/tracing/trace_flags.h"
#include "services/gateway/gateway_server.h"
#include "services/gateway/http/trace_url.h"

constexpr absl::Duration kShortest = absl::Milliseconds(100);
constexpr absl::Duration kLongest = absl::Hours(1);
constexpr std::size_t kMostBytes = std::size_t{4} << 30;

ABSL_FLAG(std::string, listen, "127.0.0.1:7000",
          "Address to serve on, HOST:PORT. Port 0 takes a free port, which the start line names");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7100",
          "Address to serve Prometheus metrics on, HOST:PORT. Port 0 takes a free port, off "
          "disables metrics");
ABSL_FLAG(std::string, trip, "127.0.0.1:7001", "Address of the trip service");
ABSL_FLAG(std::string, location, "127.0.0.1:7002",
          "Address of the location service, HOST:PORT. With several location processes: "
          "MARKET=HOST:PORT,MARKET=HOST:PORT, or a pattern such as location-{market}.example:7002");
ABSL_FLAG(std::string, dispatch, "127.0.0.1:7003",
          "Address of the dispatch service, in the same forms as --location. With standbys: all "
          "addresses of a market, IP:PORT,IP:PORT");
ABSL_FLAG(std::string, web, "",
          "Folder of the page to serve, with an index.html. Read at start. Empty: no page");
ABSL_FLAG(std::string, allow_origins, "",
          "Origins of pages on other hosts that may call the gateway: "
          "https://ops.example,http://localhost:5173, or * for all");
ABSL_FLAG(std::string, allowed_hosts, "",
          "Host names and addresses (without ports) that requests may name, besides loopback and "
          "the host of --listen: ride.example,10.0.0.7, or * for all");
ABSL_FLAG(std::string, sign_in_authority, "",
          "Folder of a throwaway authority whose key signs browsers in as any rider, driver or "
          "viewer. The address in the start line contains a one-time code. For development only. "
          "Empty: no sign-in, every call needs a token");
ABSL_FLAG(
    std::string, oidc_issuer, "",
    "https URL of the OpenID Connect provider at which people sign in on the live map, as its "
    "ID tokens name it in iss. Needs --oidc_client_id and --session_key. Register "
    "--public_url with /sign-in/callback at the provider as the redirect URI. Empty: nobody "
    "signs in at a provider");
ABSL_FLAG(std::string, oidc_client_id, "", "Id under which the provider knows this gateway");
ABSL_FLAG(
    std::string, oidc_client_secret, "",
    "File with the secret of --oidc_client_id. Read for each sign-in. Empty: a public client, "
    "which has none");
ABSL_FLAG(std::string, oidc_authorities, "",
          "PEM file with the certificates of the authorities to trust at the provider. Empty: the "
          "system's");
ABSL_FLAG(std::string, oidc_scope, "openid",
          "Scopes to ask the provider for, separated by spaces. Must contain openid");
ABSL_FLAG(
    std::string, oidc_subject_claim, "sub",
    "Claim of the ID token whose text is the person's id. A name that begins with / is a JSON "
    "pointer");
ABSL_FLAG(std::string, oidc_role_claim, "role",
          "Claim of the ID token that may name the role rider or driver, as a text or in a list, "
          "such as /realm_access/roles. Everybody else is a viewer");
RIDESTREAM_RANGED_FLAG(absl::Duration, oidc_timeout, absl::Seconds(5),
                       "Time for each request to the OpenID Connect provider", kShortest,
                       absl::Minutes(1));
ABSL_FLAG(std::string, session_key, "",
          "File with the private key (a JWK) that signs the sessions of people who signed in at "
          "--oidc_issuer, and the tokens with which they call. 'authority key FILE' makes one. The "
          "services' --token_keys must contain its public half. Give all gateways the same file. "
          "Empty: the key of --sign_in_authority");
ABSL_FLAG(std::string, pseudonym_key, "",
          "File with a secret of at least 32 bytes, from which viewers' pseudonyms for drivers are "
          "derived. Give all gateways of a city the same file. Empty: the key of "
          "--sign_in_authority, otherwise a random key that ends with the process");
ABSL_FLAG(
    std::string, public_url, "",
    "URL at which browsers reach this gateway, such as https://ride.example, for the address "
    "in the start line, and for --oidc_issuer to send browsers back. With https, as it must be "
    "with --https_certificate, cookies are for TLS alone. Empty: the address of --listen");
ABSL_FLAG(
    std::string, trace_url, "",
    "URL of the page that shows a trace, such as http://localhost:16686/trace/{trace_id}. The "
    "live map's trips link to it, and viewers then see the ids of the trips' traces. Empty: "
    "no links");
ABSL_FLAG(std::string, https_certificate, "",
          "PEM file with the certificate chain for browsers and its private key. The port then "
          "speaks TLS. Read again when the file changes. Empty: plain HTTP");
ABSL_FLAG(bool, plain_http, false,
          "Serve plain HTTP beyond loopback as well. Use it only where clients reach this port "
          "through a proxy that speaks TLS, or through a port published on loopback: otherwise "
          "tokens can be read on the network");
RIDESTREAM_RANGED_FLAG(int, threads, 2, "Threads that serve connections", 1, 64);
RIDESTREAM_RANGED_FLAG(size_t, max_connections, 10'000,
                       "Concurrent connections. Connections beyond get 503", 1, 1'000'000);
RIDESTREAM_RANGED_FLAG(
    size_t, max_connections_per_address, 2'000,
    "Concurrent connections from one IPv4 address or one IPv6 /64 network. Connections beyond get "
    "503. Raise it behind a proxy, which uses one address for all its clients",
    1, 1'000'000);
RIDESTREAM_RANGED_FLAG(size_t, max_header_bytes, 16 << 10, "Largest header of a request, in bytes",
                       1 << 10, 1 << 20);
RIDESTREAM_RANGED_FLAG(size_t, max_body_bytes, 1 << 20,
                       "Largest body of a request and largest WebSocket message, in bytes", 1 << 10,
                       64 << 20);
RIDESTREAM_RANGED_FLAG(
    size_t, max_all_body_bytes, 64 << 20,
    "Memory for the bodies and messages of all clients together, in bytes. At least "
    "--max_body_bytes. Requests beyond get 503, WebSockets are closed with 1013",
    1 << 10, kMostBytes);
RIDESTREAM_RANGED_FLAG(absl::Duration, request_timeout, absl::Seconds(10),
                       "Time for a request's header to arrive. The body gets three times as long",
                       kShortest, kLongest);
RIDESTREAM_RANGED_FLAG(absl::Duration, idle_timeout, absl::Seconds(75),
                       "Time that a connection may wait for its next request", kShortest, kLongest);
RIDESTREAM_RANGED_FLAG(
    absl::Duration, stall_timeout, absl::Seconds(20),
    "Time after which a client that reads nothing of what waits for it is disconnected", kShortest,
    kLongest);
RIDESTREAM_RANGED_FLAG(absl::Duration, default_timeout, absl::Seconds(15),
                       "Deadline of unary calls that state none", kShortest, kLongest);
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "After SIGTERM, time for calls under way to end", absl::ZeroDuration(),
                       kLongest);

namespace ridestream::gateway {
namespace {

constexpr char kUsage[] =
    R"(Ridestream's gateway serves clients that don't speak gRPC: gRPC-Web and WebSockets for browsers,
REST with JSON, and the files of the live map. services/gateway/README.md describes its protocols.

Durations are on the wall clock. The environment sets flags as well. The command line takes
precedence.

  gateway --trip=127.0.0.1:7001 --location=127.0.0.1:7002 --dispatch=127.0.0.1:7003 --web=DIR
  RIDESTREAM_LISTEN=0.0.0.0:7000 gateway
)";

absl::Status Blame(std::string_view flag, std::string_view value, const absl::Status& status) {
  return absl::Status(status.code(),
                      fmt::format("--{}={}: {}", flag, value, std::string(status.message())));
}

std::chrono::milliseconds Chrono(const absl::Flag<absl::Duration>& flag) {
  return absl::ToChronoMilliseconds(absl::GetFlag(flag));
}

HttpLimits Limits() {
  return {.header_bytes = absl::GetFlag(FLAGS_max_header_bytes),
          .body_bytes = absl::GetFlag(FLAGS_max_body_bytes),
          .connections = absl::GetFlag(FLAGS_max_connections),
          .connections_per_address = absl::GetFlag(FLAGS_max_connections_per_address),
          .all_body_bytes = absl::GetFlag(FLAGS_max_all_body_bytes),
          .header_time = Chrono(FLAGS_request_timeout),
          .body_time = 3 * Chrono(FLAGS_request_timeout),
          .idle_time = Chrono(FLAGS_idle_timeout),
          .stall_time = Chrono(FLAGS_stall_timeout)};
}

OidcSignIn::Options OidcOptions() {
  return {.provider = {.issuer = absl::GetFlag(FLAGS_oidc_issuer),
                       .client_id = absl::GetFlag(FLAGS_oidc_client_id),
                       .client_secret_file = absl::GetFlag(FLAGS_oidc_client_secret),
                       .authorities = absl::GetFlag(FLAGS_oidc_authorities),
                       .timeout = Chrono(FLAGS_oidc_timeout)},
          .scope = absl::GetFlag(FLAGS_oidc_scope),
          .claims = {.subject = absl::GetFlag(FLAGS_oidc_subject_claim),
                     .role = absl::GetFlag(FLAGS_oidc_role_claim)}};
}

absl::StatusOr<GatewayServer::Options> OptionsFromFlags() {
  if (absl::Status status = service::CheckAtLeast(FLAGS_max_all_body_bytes, FLAGS_max_body_bytes);
      !status.ok()) {
    return status;
  }
  auto security = rpc::SecurityOptionsFromFlags();
  if (!security.ok()) return security.status();
  const std::string allow_origins = absl::GetFlag(FLAGS_allow_origins);
  auto origins = Origins::Parse(allow_origins);
  if (!origins.ok()) return Blame("allow_origins", allow_origins, origins.status());
  const std::string listen = absl::GetFlag(FLAGS_listen);
  const std::string allowed_hosts = absl::GetFlag(FLAGS_allowed_hosts);
  auto hosts = Hosts::Parse(allowed_hosts, listen);
  if (!hosts.ok()) return Blame("allowed_hosts", allowed_hosts, hosts.status());
  const std::string trace_url = absl::GetFlag(FLAGS_trace_url);
  if (absl::Status status = trace_url.empty() ? absl::OkStatus() : CheckTraceUrl(trace_url);
      !status.ok()) {
    return Blame("trace_url", trace_url, status);
  }
  const std::string web = absl::GetFlag(FLAGS_web);
  auto files = web.empty() ? StaticFiles() : StaticFiles::Load(web);
  if (!files.ok()) return Blame("web", web, files.status());
  return GatewayServer::Options{.address = listen,
                                .threads = absl::GetFlag(FLAGS_threads),
                                .limits = Limits(),
                                .metrics_listen = absl::GetFlag(FLAGS_metrics_listen),
                                .security = *std::move(security),
                                .sign_in_authority = absl::GetFlag(FLAGS_sign_in_authority),
                                .oidc = OidcOptions(),
                                .session_key = absl::GetFlag(FLAGS_session_key),
                                .pseudonym_key = absl::GetFlag(FLAGS_pseudonym_key),
                                .public_url = absl::GetFlag(FLAGS_public_url),
                                .trace_url = trace_url,
                                .https_certificate = absl::GetFlag(FLAGS_https_certificate),
                                .plain_http = absl::GetFlag(FLAGS_plain_http),
                                .trip = absl::GetFlag(FLAGS_trip),
                                .location = absl::GetFlag(FLAGS_location),
                                .dispatch = absl::GetFlag(FLAGS_dispatch),
                                .origins = *std::move(origins),
                                .hosts = *std::move(hosts),
                                .files = *std::move(files),
                                .default_timeout = Chrono(FLAGS_default_timeout),
                                .drain_grace = Chrono(FLAGS_drain_grace)};
}

absl::Status Run() {
  const auto traced = tracing::TracedProcess::StartFromFlags("gateway");
  if (!traced.ok()) return traced.status();
  auto options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  auto server = GatewayServer::Start(*std::move(options));
  if (!server.ok()) return server.status();
  const std::string web = absl::GetFlag(FLAGS_web);
  service::LogServing((*server)->address(), {{"metrics", (*server)->metrics_address()},
                                             {"page", (*server)->page()},
                                             {"trip", absl::GetFlag(FLAGS_trip)},
                                             {"location", absl::GetFlag(FLAGS_location)},
                                             {"dispatch", absl::GetFlag(FLAGS_dispatch)},
                                             {"web", web.empty() ? "none" : web},
                                             {"allow_origins", absl::GetFlag(FLAGS_allow_origins)},
                                             {"allowed_hosts", absl::GetFlag(FLAGS_allowed_hosts)},
                                             {"grpc", rpc::LoadedGrpc()},
                                             {"authentication", (*server)->authentication()}});
  service::DrainOnStopSignal([&] { (*server)->Drain(); });
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::gateway

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "gateway", ridestream::gateway::kUsage);
  const absl::Status status = ridestream::gateway::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
