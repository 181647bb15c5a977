#include "loadtest/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
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
          "Address of the location service: HOST:PORT; or where each market's is, as "
          "MARKET=HOST:PORT,MARKET=HOST:PORT or location-{market}.example:7002");
ABSL_FLAG(
    std::string, dispatch, "127.0.0.1:7003",
    "Address of the dispatch service, in the same forms as --location; where processes stand by, "
    "all of them, as IP:PORT,IP:PORT");
ABSL_FLAG(
    std::string, authority, "",
    "Folder of the throwaway authority (`authority create`) whose certificate for loadtest is "
    "presented, and whose key signs the tokens of drivers and riders");
ABSL_FLAG(bool, insecure, false,
          "Speak plaintext, and let callers say who they are without proof: for services that run "
          "with --insecure");
ABSL_FLAG(std::string, market, "city", "The market, by the name that the services know it by");
ABSL_FLAG(std::string, roads, "city:1",
          "The market's streets, as the services have them: city:SEED, or an OpenStreetMap file");
RIDESTREAM_RANGED_FLAG(int, drivers, 200, "How many drivers, each with a stream of its own", 1,
                       50'000);
RIDESTREAM_RANGED_FLAG(int, seconds, 60, "How long requests come, in seconds of the wall's clock",
                       1, 7 * 86'400);
RIDESTREAM_RANGED_FLAG(
    int, drain_seconds, 120,
    "How long after that trips may take to end, in seconds of the wall's clock. Then riders who "
    "still wait call it off, and those aboard are counted as open at the end",
    0, 86'400);
ABSL_FLAG(std::uint64_t, seed, 1, "All chance comes from it");
RIDESTREAM_RANGED_FLAG(int, connections, 0,
                       "Connections to dispatch that the drivers' streams share. 0: one for 80 "
                       "drivers, at least 8, since a server admits 100 streams on a connection",
                       0, 1'000);
RIDESTREAM_RANGED_FLAG(double, requests_per_hour, 0,
                       "Requests in an hour of the city's time; 0: four for each driver", 0, 1e8);
ABSL_FLAG(std::string, requests, "",
          "Replay the requests of this CSV file, with the header "
          "requested_at_s,pickup_lat,pickup_lng,dropoff_lat,dropoff_lng,riders");
ABSL_FLAG(std::string, fleet, "",
          "Drivers begin where this CSV file says, with the header lat,lng,seats: its first "
          "--drivers lines");
RIDESTREAM_RANGED_FLAG(double, accept_probability, 0.85, "Of offers, that the driver accepts them",
                       0, 1);
RIDESTREAM_RANGED_FLAG(
    double, decline_probability, 0.10,
    "Of offers, that the driver declines them; what is left is ignored until it runs out", 0, 1);
RIDESTREAM_RANGED_FLAG(double, follow_probability, 0.5,
                       "Of suggestions to idle drivers where to wait that are followed", 0, 1);
RIDESTREAM_RANGED_FLAG(double, give_up_probability, 0.01,
                       "Of trips, that their driver gives them back before the pick-up", 0, 1);
RIDESTREAM_RANGED_FLAG(double, congestion, 1,
                       "How many times longer than the map says cars take in the market's middle, "
                       "and less further out; 1: nowhere",
                       1, 10);
RIDESTREAM_RANGED_FLAG(double, disconnect_per_hour, 1,
                       "How often a driver loses its connection, in an hour of the city's time", 0,
                       3'600);
RIDESTREAM_RANGED_FLAG(double, cancel_probability, 0.05,
                       "Of riders, that they call it off while they wait", 0, 1);
RIDESTREAM_RANGED_FLAG(double, change_destination_probability, 0.05,
                       "Of riders, that they want to go elsewhere, waiting or aboard", 0, 1);
RIDESTREAM_RANGED_FLAG(double, share_probability, 0.25,
                       "Of riders, that they share their car with others", 0, 1);
RIDESTREAM_RANGED_FLAG(int, patience_s, 1200,
                       "How long riders wait for a car, in seconds of the city's time", 1, 86'400);
ABSL_FLAG(std::string, json, "", "Write the report to this file, as JSON");
ABSL_FLAG(
    std::string, offers, "",
    "Write to this file, as they come, when each request was due and when its first offer was "
    "in a driver's hand: due_us,offered_us, in Unix microseconds of the wall's clock");
ABSL_FLAG(std::string, progress, "auto",
          "How to show it goes: block (redrawn in place), lines, none, or auto: a block on a "
          "terminal, else lines");

namespace ridestream::loadtest {

const char kUsage[] =
    R"(A simulated city: drivers and riders who use the services as real ones do, and an auditor.

Each driver has a bidirectional stream to dispatch, drives along the streets, reports where it is
every few seconds with GPS noise, accepts, declines or ignores offers, drives its plans, and now and
then loses its connection. Riders ask when their time has come, whatever the system is doing (open
loop): latency counts from when a request was due. At the end the auditor compares what the riders
saw, what the drivers saw, and what trip has on record.

  loadtest --drivers 2000 --seconds 60
  loadtest --clock_rate 10 --seconds 180 --drivers 1000 --roads manhattan.osm.pbf \
      --requests requests.csv --fleet drivers.csv --json report.json

With --clock_rate 10, which the services must have as well, the city runs ten times as fast as the
wall's clock: a ride of ten minutes takes one. Latencies are always told in the wall's time.

Exit status: 0 the audit is clean; 1 it isn't; 2 a flag or a file is wrong; 3 a service can't be
reached. SIGINT and SIGTERM end the phase that is on, and lead to the report all the same.)";

namespace {

// Pauses before a retry and time-outs are of the wall's time, however fast the city's clock runs:
// they spare real machines.
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

/// Finds the service's process for our market.
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

// Half of the middle's congestion is left a third of the way out.
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
  settings.city.connections = absl::GetFlag(FLAGS_connections);
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
  return settings;
}

absl::Status UseSecurityFromFlags() {
  const std::string folder = absl::GetFlag(FLAGS_authority);
  if (absl::GetFlag(FLAGS_insecure) != folder.empty()) {
    return absl::InvalidArgumentError(
        "--authority must name the folder of the services' throwaway authority; or --insecure, "
        "where they run with it too");
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
    // Not the demand's seed: nobody is to begin where somebody asks.
    options.fleet = GenerateFleet(streets.graph(), settings.drivers, ~settings.city.seed);
    return options;
  }
  auto fleet = ReadFleet(settings.fleet_file, settings.drivers);
  if (!fleet.ok()) return fleet.status();
  options.fleet = *std::move(fleet);
  return options;
}

absl::Status CantWrite(const std::string& file) {
  return absl::PermissionDeniedError(fmt::format("--json={}: can't be written", file));
}

}  // namespace ridestream::loadtest
