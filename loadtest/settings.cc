#include "loadtest/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "libs/base/validation.h"
#include "libs/rpc/development_security.h"
#include "libs/service/flag_range.h"
#include "libs/service/market_addresses.h"
#include "libs/service/service.h"

ABSL_FLAG(std::string, trip, "127.0.0.1:7001", "Address of the trip service");
ABSL_FLAG(std::string, location, "127.0.0.1:7002",
          "Address of the location service, HOST:PORT. With several location processes: "
          "MARKET=HOST:PORT,MARKET=HOST:PORT, or a pattern such as location-{market}.example:7002");
ABSL_FLAG(std::string, dispatch, "127.0.0.1:7003",
          "Address of the dispatch service, in the same forms as --location. With standbys: all "
          "addresses of a market, IP:PORT,IP:PORT");
ABSL_FLAG(std::string, authority, "",
          "Folder of the throwaway authority (`authority create`). The load generator presents its "
          "certificate for loadtest and signs the tokens of drivers and riders with its key");
ABSL_FLAG(bool, insecure, false,
          "Speak plaintext and send no tokens, for services that run with --insecure");
ABSL_FLAG(std::string, market, "city", "Market to load, as the services name it");
ABSL_FLAG(
    std::string, roads, "city:1",
    "Streets of the market, the same as the services use: city:SEED, or an OpenStreetMap file");
RIDESTREAM_RANGED_FLAG(int, drivers, 200, "Number of drivers. Each has its own stream", 1, 50'000);
RIDESTREAM_RANGED_FLAG(int, seconds, 60,
                       "Time during which riders make requests, in wall-clock seconds", 1,
                       7 * 86'400);
RIDESTREAM_RANGED_FLAG(int, connect_seconds, 20,
                       "Longest time to wait, before riders make requests, until all drivers have "
                       "sessions, in wall-clock seconds. 2,000 drivers a second connect",
                       1, 3'600);
RIDESTREAM_RANGED_FLAG(
    int, drain_seconds, 120,
    "Time that open trips get to end after --seconds, in wall-clock seconds. Riders who still wait "
    "then cancel, and trips with the rider aboard are counted as open at the end",
    0, 86'400);
ABSL_FLAG(std::uint64_t, seed, 1, "Seed of all random numbers");
RIDESTREAM_RANGED_FLAG(int, connections, 0,
                       "Connections to dispatch, shared by the drivers' streams. 0: one per 80 "
                       "drivers, at least 8 (a server admits 100 streams per connection)",
                       0, 1'000);
RIDESTREAM_RANGED_FLAG(double, requests_per_hour, 0,
                       "Requests per hour of the city's time. 0: four per driver", 0, 1e8);
ABSL_FLAG(std::string, requests, "",
          "CSV file of requests to replay, with the header "
          "requested_at_s,pickup_lat,pickup_lng,dropoff_lat,dropoff_lng,riders. Empty: generate "
          "requests");
ABSL_FLAG(std::string, fleet, "",
          "CSV file of cars, with the header lat,lng,seats. Its first --drivers lines give where "
          "drivers start. Empty: start at random places");
RIDESTREAM_RANGED_FLAG(double, accept_probability, 0.85,
                       "Probability that a driver accepts an offer", 0, 1);
RIDESTREAM_RANGED_FLAG(double, decline_probability, 0.10,
                       "Probability that a driver declines an offer. A driver who neither accepts "
                       "nor declines ignores the offer until it expires",
                       0, 1);
RIDESTREAM_RANGED_FLAG(double, follow_probability, 0.5,
                       "Probability that an idle driver follows a suggestion where to wait", 0, 1);
RIDESTREAM_RANGED_FLAG(double, give_up_probability, 0.01,
                       "Probability that a driver gives a trip back before the pick-up", 0, 1);
RIDESTREAM_RANGED_FLAG(double, congestion, 1,
                       "Factor by which driving takes longer than the map says in the middle of "
                       "the market. The factor falls to 1 towards the edge",
                       1, 10);
RIDESTREAM_RANGED_FLAG(double, disconnect_per_hour, 1,
                       "Mean number of lost connections per driver and hour of the city's time", 0,
                       3'600);
RIDESTREAM_RANGED_FLAG(double, cancel_probability, 0.05,
                       "Probability that a rider cancels while waiting", 0, 1);
RIDESTREAM_RANGED_FLAG(double, change_destination_probability, 0.05,
                       "Probability that a rider changes the destination, while waiting or aboard",
                       0, 1);
RIDESTREAM_RANGED_FLAG(double, share_probability, 0.25,
                       "Probability that a rider agrees to share the car", 0, 1);
RIDESTREAM_RANGED_FLAG(
    int, patience_s, 1200,
    "How long riders wait for a pick-up before they cancel, in seconds of the city's time", 1,
    86'400);
ABSL_FLAG(std::string, json, "", "Write the report to this file, as JSON");
ABSL_FLAG(std::string, offers, "",
          "Write a line due_us,offered_us to this file for each first offer: when its request was "
          "due and when the offer reached a driver, in Unix microseconds of the wall clock");
RIDESTREAM_RANGED_FLAG(int, trace_rides, 0,
                       "Number of riders, from the first on, whose requests ask to be traced: they "
                       "carry a traceparent with the flag that samples the trace",
                       0, 10'000);
ABSL_FLAG(bool, check_flags, false,
          "Only check the flags, and the files that they name other than the streets. Needs no "
          "services and no --authority");
ABSL_FLAG(std::string, progress, "auto",
          "How to show progress: block (redrawn in place), lines, none, or auto (block on a "
          "terminal, otherwise lines)");

namespace ridestream::loadtest {

const char kUsage[] =
    R"(Simulates a city: drivers and riders who use the services as real ones do, and an auditor.

Each driver holds a bidirectional stream to dispatch, drives along the streets, reports positions
with GPS noise every few seconds, accepts, declines or ignores offers, drives its plans, and loses
its connection now and then. Riders make their requests when these are due, whatever the state of
the system (an open loop). Latency counts from the time when the request was due. At the end the
auditor compares what riders saw, what drivers saw, and what trip recorded.

  loadtest --drivers 2000 --seconds 60
  loadtest --clock_rate 10 --seconds 180 --drivers 1000 --roads manhattan.osm.pbf \
      --requests requests.csv --fleet drivers.csv --json report.json

With --clock_rate 10 the city runs ten times as fast as the wall clock: a ride of ten minutes takes
one. The services need the same rate. Latencies are in wall-clock time.

Exit status: 0 if the audit is clean; 1 if it isn't, or nothing was audited; 2 if a flag or a file
is wrong; 3 if a service can't be reached. The first Ctrl-C (SIGINT or SIGTERM) ends the load: open
trips get --drain_seconds to end. The second ends the run at once, with the report; the third
without it.)";

namespace {

// Retry pauses and time-outs are in wall time, however fast the city's clock runs, because they
// protect real machines.
Duration Scaled(std::chrono::milliseconds wall) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(Duration(wall).count()) *
                                             absl::GetFlag(FLAGS_clock_rate)));
}

absl::Status CheckFlags() {
  if (absl::Status status = ValidateId(absl::GetFlag(FLAGS_market), "--market"); !status.ok()) {
    return status;
  }
  if (absl::GetFlag(FLAGS_accept_probability) + absl::GetFlag(FLAGS_decline_probability) >
      1 + 1e-9) {
    return absl::InvalidArgumentError(
        "--accept_probability and --decline_probability: their sum must be at most 1");
  }
  if (!absl::GetFlag(FLAGS_requests).empty() && absl::GetFlag(FLAGS_requests_per_hour) > 0) {
    return absl::InvalidArgumentError("--requests and --requests_per_hour exclude each other");
  }
  return absl::OkStatus();
}

absl::StatusOr<ProgressMode> ProgressFromFlag() {
  const std::string mode = absl::GetFlag(FLAGS_progress);
  if (mode == "block") return ProgressMode::kBlock;
  if (mode == "lines") return ProgressMode::kLines;
  if (mode == "none") return ProgressMode::kNone;
  if (mode == "auto") return isatty(STDOUT_FILENO) ? ProgressMode::kBlock : ProgressMode::kLines;
  return absl::InvalidArgumentError(
      fmt::format("--progress={}: must be auto, block, lines or none", mode));
}

/// Finds the process of the service that serves our market.
absl::StatusOr<std::string> FindAddress(const char* name, const absl::Flag<std::string>& flag) {
  const auto addresses = service::MarketAddresses::Parse(name, absl::GetFlag(flag));
  if (!addresses.ok()) return addresses.status();
  auto address = addresses->Find(absl::GetFlag(FLAGS_market));
  if (address.ok()) return address;
  return absl::InvalidArgumentError(
      fmt::format("--{}: {}", name, std::string(address.status().message())));
}

DriverHabits DriverHabitsFromFlags() {
  DriverHabits habits;
  habits.market = absl::GetFlag(FLAGS_market);
  habits.offers.accept_probability = absl::GetFlag(FLAGS_accept_probability);
  habits.offers.decline_probability = absl::GetFlag(FLAGS_decline_probability);
  habits.follow_probability = absl::GetFlag(FLAGS_follow_probability);
  habits.give_up_probability = absl::GetFlag(FLAGS_give_up_probability);
  habits.disconnects_per_hour = absl::GetFlag(FLAGS_disconnect_per_hour);
  habits.first_backoff = Scaled(std::chrono::milliseconds(200));
  habits.longest_backoff = Scaled(std::chrono::seconds(5));
  habits.welcome_timeout = Scaled(std::chrono::seconds(10));
  return habits;
}

// A third of the way out, half of the middle's congestion remains.
Congestion CongestionOf(const roads::BoundingBox& bounds) {
  return {.peak = absl::GetFlag(FLAGS_congestion),
          .middle = Interpolate(bounds.south_west, bounds.north_east, 0.5),
          .radius_m = FastDistanceM(bounds.south_west, bounds.north_east) / 7};
}

RiderHabits RiderHabitsFromFlags() {
  RiderHabits habits;
  habits.cancel_probability = absl::GetFlag(FLAGS_cancel_probability);
  habits.change_destination_probability = absl::GetFlag(FLAGS_change_destination_probability);
  habits.share_probability = absl::GetFlag(FLAGS_share_probability);
  habits.patience = std::chrono::seconds(absl::GetFlag(FLAGS_patience_s));
  habits.first_backoff = Scaled(std::chrono::milliseconds(200));
  habits.longest_backoff = Scaled(std::chrono::seconds(2));
  habits.answer_within = Scaled(std::chrono::seconds(60));
  return habits;
}

}  // namespace

absl::StatusOr<Settings> SettingsFromFlags() {
  if (absl::Status status = CheckFlags(); !status.ok()) return status;
  const auto progress = ProgressFromFlag();
  if (!progress.ok()) return progress.status();
  Settings settings;
  auto trip = FindAddress("trip", FLAGS_trip);
  if (!trip.ok()) return trip.status();
  auto location = FindAddress("location", FLAGS_location);
  if (!location.ok()) return location.status();
  auto dispatch = FindAddress("dispatch", FLAGS_dispatch);
  if (!dispatch.ok()) return dispatch.status();
  settings.city.trip_address = *std::move(trip);
  settings.city.location_address = *std::move(location);
  settings.city.dispatch_address = *std::move(dispatch);
  settings.city.market = absl::GetFlag(FLAGS_market);
  settings.city.driver_habits = DriverHabitsFromFlags();
  settings.city.rider_habits = RiderHabitsFromFlags();
  settings.city.seed = absl::GetFlag(FLAGS_seed);
  settings.city.traced_rides = absl::GetFlag(FLAGS_trace_rides);
  settings.city.connections = absl::GetFlag(FLAGS_connections);
  settings.city.connect = std::chrono::seconds(absl::GetFlag(FLAGS_connect_seconds));
  settings.city.load = std::chrono::seconds(absl::GetFlag(FLAGS_seconds));
  settings.city.drain = std::chrono::seconds(absl::GetFlag(FLAGS_drain_seconds));
  settings.city.progress = *progress;
  settings.roads = absl::GetFlag(FLAGS_roads);
  settings.drivers = static_cast<size_t>(absl::GetFlag(FLAGS_drivers));
  settings.requests_per_hour = absl::GetFlag(FLAGS_requests_per_hour);
  constexpr double kRequestsPerDriver = 4;
  if (settings.requests_per_hour == 0) {
    settings.requests_per_hour = kRequestsPerDriver * static_cast<double>(settings.drivers);
  }
  settings.requests_file = absl::GetFlag(FLAGS_requests);
  settings.fleet_file = absl::GetFlag(FLAGS_fleet);
  settings.json = absl::GetFlag(FLAGS_json);
  settings.offers = absl::GetFlag(FLAGS_offers);
  settings.check_flags = absl::GetFlag(FLAGS_check_flags);
  return settings;
}

absl::Status CheckFiles(const Settings& settings) {
  absl::Status status;
  if (!settings.requests_file.empty()) status = ReplayDemand(settings.requests_file).status();
  if (status.ok() && !settings.fleet_file.empty()) {
    status = ReadFleet(settings.fleet_file, settings.drivers).status();
  }
  if (!status.ok()) return status;
  for (const auto& [flag, file] : {std::pair("json", settings.json), {"offers", settings.offers}}) {
    if (!file.empty() && !std::ofstream(file, std::ios::app)) return CantWrite(flag, file);
  }
  return absl::OkStatus();
}

absl::Status UseSecurityFromFlags() {
  const std::string folder = absl::GetFlag(FLAGS_authority);
  if (absl::GetFlag(FLAGS_insecure) != folder.empty()) {
    return absl::InvalidArgumentError(
        "--authority must name the folder of the services' throwaway authority, unless --insecure "
        "is set here and at the services");
  }
  return rpc::UseDevelopmentAuthority(folder);
}

absl::StatusOr<std::unique_ptr<Demand>> MakeDemand(const Settings& settings,
                                                   const roads::Streets& streets) {
  if (!settings.requests_file.empty()) return ReplayDemand(settings.requests_file);
  return GenerateDemand(streets.graph(), settings.requests_per_hour, settings.city.seed);
}

absl::StatusOr<CityOptions> MakeCityOptions(const Settings& settings,
                                            const roads::Streets& streets) {
  CityOptions options = settings.city;
  options.driver_habits.congestion = CongestionOf(streets.graph().bounds());
  if (settings.fleet_file.empty()) {
    // Not the demand's seed, so that cars don't start exactly where riders request trips.
    options.fleet = GenerateFleet(streets.graph(), settings.drivers, ~settings.city.seed);
    return options;
  }
  auto fleet = ReadFleet(settings.fleet_file, settings.drivers);
  if (!fleet.ok()) return fleet.status();
  options.fleet = *std::move(fleet);
  return options;
}

absl::Status CantWrite(std::string_view flag, const std::string& file) {
  return absl::PermissionDeniedError(fmt::format("--{}={}: can't be written", flag, file));
}

}  // namespace ridestream::loadtest
