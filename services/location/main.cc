// Converts flags to the options of a LocationServer and runs it until SIGTERM or SIGINT.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/rpc/grpc_library.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/markets.h"
#include "libs/service/service.h"
#include "libs/tracing/trace_flags.h"
#include "services/location/location_server.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7002",
          "Address to serve on, HOST:PORT. Port 0 takes a free port, which the start line names");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7102",
          "Address to serve Prometheus metrics on, HOST:PORT. Port 0 takes a free port, off "
          "disables metrics");
RIDESTREAM_RANGED_FLAG(
    absl::Duration, staleness, absl::Seconds(30),
    "Age, on the city's clock, from which a position is no longer returned. Choose several times "
    "the interval at which drivers report, or drivers flicker",
    absl::Seconds(1), absl::Hours(24));
ABSL_FLAG(std::string, markets, "",
          "Markets to serve: NAME[,…]. The form NAME=STREETS of the other services is accepted, "
          "and the streets are ignored. Empty: every market that dispatch reports");
RIDESTREAM_RANGED_FLAG(size_t, max_drivers, 200'000,
                       "Drivers in one market. Positions of further drivers are rejected and "
                       "counted in the response to the reporter. A driver takes about 350 bytes",
                       1, 1'000'000'000);
RIDESTREAM_RANGED_FLAG(size_t, max_markets, 64,
                       "Number of markets. Positions in further markets are rejected", 1,
                       1'000'000);
RIDESTREAM_RANGED_FLAG(size_t, max_viewers, 100,
                       "Concurrent WatchArea streams. Streams beyond fail with RESOURCE_EXHAUSTED",
                       0, 1'000'000);
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "After SIGTERM, wall-clock time for calls under way to end",
                       absl::ZeroDuration(), absl::Hours(1));

namespace ridestream::location {
namespace {

constexpr char kUsage[] =
    R"(Ridestream's location service holds the latest position of every driver and finds the nearest
drivers.

Dispatch reports positions in batches (ReportPositions) and asks for candidates (FindNearest). A map
watches an area live (WatchArea). Everything is in memory: after a start the index is empty, and it
is complete again within one reporting interval.

The environment sets flags as well. The command line takes precedence.

  location
  location --listen=0.0.0.0:7002 --log_format=json
  RIDESTREAM_STALENESS=20s location
)";

absl::StatusOr<LocationServer::Options> OptionsFromFlags() {
  auto security = rpc::SecurityOptionsFromFlags(absl::GetFlag(FLAGS_max_calls_per_s));
  if (!security.ok()) return security.status();
  auto server = rpc::ServerOptionsFromFlags();
  LocationServer::Options options;
  options.server = std::move(server);
  options.clock = service::MakeClock();
  options.security = *std::move(security);
  options.metrics_listen = absl::GetFlag(FLAGS_metrics_listen);
  options.server.address = absl::GetFlag(FLAGS_listen);
  if (const std::string text = absl::GetFlag(FLAGS_markets); !text.empty()) {
    auto names = service::ParseMarketNames(text);
    if (!names.ok()) return names.status();
    options.service.markets = service::ServedMarkets(*std::move(names));
  }
  IndexOptions& index = options.service.index;
  index.staleness = absl::ToChronoMicroseconds(absl::GetFlag(FLAGS_staleness));
  index.max_drivers_per_market = absl::GetFlag(FLAGS_max_drivers);
  index.max_markets = absl::GetFlag(FLAGS_max_markets);
  options.drain_grace = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_grace));
  options.service.max_viewers = absl::GetFlag(FLAGS_max_viewers);
  return options;
}

absl::Status Run() {
  const auto traced = tracing::TracedProcess::StartFromFlags("location");
  if (!traced.ok()) return traced.status();
  auto options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  auto server = LocationServer::Start(*std::move(options));
  if (!server.ok()) return server.status();
  service::LogServing((*server)->address(),
                      {{"metrics", (*server)->metrics_address()},
                       {"clock_rate", fmt::format("{}", absl::GetFlag(FLAGS_clock_rate))},
                       {"staleness", absl::FormatDuration(absl::GetFlag(FLAGS_staleness))},
                       {"markets", absl::GetFlag(FLAGS_markets)},
                       {"max_drivers", fmt::format("{}", absl::GetFlag(FLAGS_max_drivers))},
                       {"max_markets", fmt::format("{}", absl::GetFlag(FLAGS_max_markets))},
                       {"max_viewers", fmt::format("{}", absl::GetFlag(FLAGS_max_viewers))},
                       {"grpc", rpc::LoadedGrpc()},
                       {"authentication", (*server)->authentication()}});
  service::DrainOnStopSignal([&] { (*server)->Drain(); });
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::location

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "location", ridestream::location::kUsage);
  const absl::Status status = ridestream::location::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
