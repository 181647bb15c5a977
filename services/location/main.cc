// Turns flags into the options of a LocationServer, and runs it until a signal comes.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/markets.h"
#include "libs/service/service.h"
#include "services/location/location_server.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7002",
          "host:port to serve on. Port 0 takes a free one; the start line tells which.");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7102",
          "host:port to serve Prometheus metrics on. Port 0 takes a free one, off serves none.");
RIDESTREAM_RANGED_FLAG(
    absl::Duration, staleness, absl::Seconds(30),
    "A driver not heard of for so long is not found any more. Of the city's time: with "
    "--clock_rate 10, 30s pass in 3. Several reporting intervals, or drivers flicker",
    absl::Seconds(1), absl::Hours(24));
ABSL_FLAG(
    std::string, markets, "",
    "The markets to serve, as NAME,NAME or, as for the other services, NAME=STREETS,NAME=STREETS; "
    "empty: every market that dispatch reports");
RIDESTREAM_RANGED_FLAG(size_t, max_drivers, 200'000,
                       "Drivers that a market holds. Positions of more are rejected, and counted "
                       "in the answer to the reporter. A driver takes about 350 bytes",
                       1, 1'000'000'000);
RIDESTREAM_RANGED_FLAG(size_t, max_markets, 64,
                       "Markets that are held. Positions of more are rejected", 1, 1'000'000);
RIDESTREAM_RANGED_FLAG(size_t, max_viewers, 100,
                       "WatchArea streams at a time; one more gets RESOURCE_EXHAUSTED", 0,
                       1'000'000);
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "On SIGTERM, how long calls under way may take to end", absl::ZeroDuration(),
                       absl::Hours(1));

namespace ridestream::location {
namespace {

constexpr char kUsage[] =
    R"(location knows where every driver is now, and finds the nearest ones.

Dispatch reports positions to it in batches (ReportPositions) and asks it for candidates
(FindNearest); a map can watch an area live (WatchArea). Everything is in memory: after a start it
is empty, and full again within one reporting interval.

  location                                    serves on 127.0.0.1:7002
  location --listen=0.0.0.0:7002 --log_format=json
  RIDESTREAM_STALENESS=20s location           every flag is also an environment variable
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
