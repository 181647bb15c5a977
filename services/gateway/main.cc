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
#include "libs/rpc/security_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "services/gateway/gateway_server.h"

constexpr absl::Duration kShortest = absl::Milliseconds(100);
constexpr absl::Duration kLongest = absl::Hours(1);
constexpr std::size_t kMostBytes = std::size_t{4} << 30;

ABSL_FLAG(std::string, listen, "127.0.0.1:7000",
          "host:port to serve on. Port 0 takes a free one; the start line tells which.");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7100",
          "host:port to serve Prometheus metrics on. Port 0 takes a free one, off serves none.");
ABSL_FLAG(std::string, trip, "127.0.0.1:7001", "Address of the trip service");
ABSL_FLAG(std::string, location, "127.0.0.1:7002",
          "Address of the location service: HOST:PORT; or where each market's is, as "
          "MARKET=HOST:PORT,MARKET=HOST:PORT or location-{market}.example:7002");
ABSL_FLAG(
    std::string, dispatch, "127.0.0.1:7003",
    "Address of the dispatch service, in the same forms as --location; where processes stand by, "
    "all of them, as IP:PORT,IP:PORT");
ABSL_FLAG(std::string, web, "",
          "Folder of the page to serve, with an index.html; empty serves none. Read at start.");
ABSL_FLAG(std::string, allow_origins, "",
          "Origins of other hosts' pages that may call: https://ops.example,http://localhost:5173, "
          "or * for all");
ABSL_FLAG(
    std::string, allowed_hosts, "",
    "Names and addresses, without ports, under which clients may ask for this gateway besides "
    "loopback's and that of --listen: ride.example,10.0.0.7, or * for all");
ABSL_FLAG(
    std::string, sign_in_authority, "",
    "Folder of a throwaway authority, by whose key browsers may sign in as any rider, driver or "
    "viewer: the start line's page holds a one-time code. For development. Empty: nobody "
    "signs in, and every call needs a token");
ABSL_FLAG(std::string, public_url, "",
          "URL by which browsers reach this gateway, for the page of the start line, such as "
          "https://ride.example. Empty: that of --listen");
ABSL_FLAG(std::string, https_certificate, "",
          "PEM file with the chain of certificates for browsers and its private key, by which the "
          "port speaks TLS; read again when it changes. Empty: plain HTTP");
ABSL_FLAG(
    bool, plain_http, false,
    "Serve plain HTTP beyond loopback, too. Only where nothing but a proxy that speaks TLS, or "
    "a port that is published on loopback, leads here: else tokens can be read on the way");
RIDESTREAM_RANGED_FLAG(int, threads, 2, "Threads that serve connections", 1, 64);
RIDESTREAM_RANGED_FLAG(size_t, max_connections, 10'000, "Connections at a time; more get 503", 1,
                       1'000'000);
RIDESTREAM_RANGED_FLAG(size_t, max_connections_per_address, 2'000,
                       "Connections at a time of one client's address (of IPv6, of its network of "
                       "64 bits); more get 503. All clients behind one proxy have its address",
                       1, 1'000'000);
RIDESTREAM_RANGED_FLAG(size_t, max_header_bytes, 16 << 10, "Largest header of a request, in bytes",
                       1 << 10, 1 << 20);
RIDESTREAM_RANGED_FLAG(size_t, max_body_bytes, 1 << 20,
                       "Largest body of a request, and message of a WebSocket, in bytes", 1 << 10,
                       64 << 20);
RIDESTREAM_RANGED_FLAG(size_t, max_all_body_bytes, 64 << 20,
                       "Bytes held of bodies and messages of all clients together, at least "
                       "--max_body_bytes; beyond it they get 503 or 1013",
                       1 << 10, kMostBytes);
RIDESTREAM_RANGED_FLAG(
    absl::Duration, request_timeout, absl::Seconds(10),
    "How long a request's header may take to arrive; its body gets three times as long", kShortest,
    kLongest);
RIDESTREAM_RANGED_FLAG(absl::Duration, idle_timeout, absl::Seconds(75),
                       "How long a connection may wait for its next request", kShortest, kLongest);
RIDESTREAM_RANGED_FLAG(absl::Duration, stall_timeout, absl::Seconds(20),
                       "A client that takes nothing of what waits for it for so long is cut",
                       kShortest, kLongest);
RIDESTREAM_RANGED_FLAG(absl::Duration, default_timeout, absl::Seconds(15),
                       "Deadline of unary calls that come without one", kShortest, kLongest);
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "On SIGTERM, how long calls under way may take to end", absl::ZeroDuration(),
                       kLongest);

namespace ridestream::gateway {
namespace {

constexpr char kUsage[] =
    R"(gateway is the door for those who can't speak gRPC: gRPC-Web and WebSockets for browsers, REST
with JSON for everybody else, and the files of the page.

It knows the services by their descriptors and forwards bytes: services/gateway/README.md tells its
protocols.

  gateway --trip=127.0.0.1:7001 --location=127.0.0.1:7002 --dispatch=127.0.0.1:7003 --web=DIR
  RIDESTREAM_LISTEN=0.0.0.0:7000 gateway      every flag is also an environment variable
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

absl::StatusOr<GatewayServer::Options> OptionsFromFlags() {
  if (absl::Status status = service::CheckRange(FLAGS_max_all_body_bytes,
                                                absl::GetFlag(FLAGS_max_body_bytes), kMostBytes);
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
  const std::string web = absl::GetFlag(FLAGS_web);
  auto files = web.empty() ? StaticFiles() : StaticFiles::Load(web);
  if (!files.ok()) return Blame("web", web, files.status());
  return GatewayServer::Options{.address = listen,
                                .threads = absl::GetFlag(FLAGS_threads),
                                .limits = Limits(),
                                .metrics_listen = absl::GetFlag(FLAGS_metrics_listen),
                                .security = *std::move(security),
                                .sign_in_authority = absl::GetFlag(FLAGS_sign_in_authority),
                                .public_url = absl::GetFlag(FLAGS_public_url),
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
