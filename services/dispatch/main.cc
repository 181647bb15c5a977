// Turns flags into the options of a DispatchServer, and runs it until a signal comes.

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/service/streets.h"
#include "services/dispatch/dispatch_server.h"

constexpr absl::Duration kTick = absl::Milliseconds(10);
constexpr absl::Duration kDay = absl::Hours(24);
constexpr std::uint32_t kMostSessions = std::numeric_limits<std::int32_t>::max();

ABSL_FLAG(std::string, listen, "127.0.0.1:7003", "Address to serve on; port 0 takes a free one");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7103",
          "Address to serve Prometheus metrics on; port 0 takes a free one, off serves none");
ABSL_FLAG(std::string, trip, "127.0.0.1:7001", "Address of the trip service");
ABSL_FLAG(std::string, location, "127.0.0.1:7002", "Address of the location service");
RIDESTREAM_RANGED_FLAG(absl::Duration, report_every, absl::Seconds(4),
                       "How often drivers report a position", kTick, absl::Hours(1));
RIDESTREAM_RANGED_FLAG(
    absl::Duration, suspect_after, absl::Seconds(15),
    "Silence after which a driver is suspect: gets no offers, and the rider is told", kTick, kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, lost_after, absl::Seconds(30),
                       "After this long as suspect, a driver is lost: its trips are given to "
                       "others, and riders aboard may leave",
                       absl::ZeroDuration(), kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, abandon_after, absl::Minutes(10),
                       "A trip whose driver was lost with the rider aboard is cancelled after "
                       "this, unless the driver is heard again",
                       kTick, kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, offer_lease, absl::Seconds(15),
                       "How long a driver may think about an offer", kTick, absl::Hours(1));
RIDESTREAM_RANGED_FLAG(
    absl::Duration, match_every, absl::Seconds(1),
    "From one matching round to the next; where few wait, a new trip has its round at once", kTick,
    absl::Hours(1));
ABSL_FLAG(std::string, matching, "assignment",
          "How a round pairs riders with drivers: assignment (all at once, at the least cost), "
          "nearest (the oldest request first, by travel time) or nearest_line");
RIDESTREAM_RANGED_FLAG(absl::Duration, matching_deadline, absl::Milliseconds(100),
                       "How long a round may look for the best assignment, by the wall's clock; "
                       "the rest is paired greedily",
                       absl::Milliseconds(1), absl::Minutes(1));
ABSL_FLAG(std::string, sharing, "search",
          "Riders who share: search (are put into plans under way, and moved to better ones until "
          "their driver has come), insertion (aren't moved) or off (have a car each)");
RIDESTREAM_RANGED_FLAG(uint32_t, search_radius_m, 2'000,
                       "How far from the pick-up the first round of a trip looks for drivers, in "
                       "metres; each further round looks twice as far, up to --max_radius_m",
                       10, 50'000);
RIDESTREAM_RANGED_FLAG(uint32_t, max_radius_m, 10'000,
                       "Drivers further than this from the pick-up, in a straight line and in "
                       "metres, aren't offered the trip; at least --search_radius_m",
                       10, 50'000);
RIDESTREAM_RANGED_FLAG(absl::Duration, max_pickup_time, absl::Minutes(10),
                       "Drivers who need longer than this to the pick-up aren't offered the trip",
                       absl::Seconds(1), kDay);
RIDESTREAM_RANGED_FLAG(
    absl::Duration, unmatched_cost, absl::Minutes(10),
    "What leaving a rider without a driver for a round costs the assignment, in time: the larger, "
    "the longer ways it accepts at once for a driver whom others want too",
    absl::ZeroDuration(), kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, price_hold, absl::Seconds(10),
                       "How long the assignment may leave a trip waiting for a nearer car although "
                       "a driver whom nobody else wants is within the limits",
                       absl::ZeroDuration(), kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, max_wait, absl::Minutes(5),
                       "A trip for which no driver was found for so long is given up", kTick, kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, update_speeds_every, absl::Minutes(5),
                       "How often the streets' travel times follow what cars drive; 0: never",
                       absl::Seconds(1), kDay, /*or_zero=*/true);
RIDESTREAM_RANGED_FLAG(uint32_t, surge_cap_percent, 200,
                       "What rides cost at most where more want to ride than cars are there, in "
                       "percent of the tariff; 100 is no surge",
                       100, 1'000);
ABSL_FLAG(std::string, implausible_steps, "count",
          "Steps (arrived, picked up, dropped off) that can't have been made by where the driver's "
          "car was seen: count (they are carried out, logged and put on the trip's record) or "
          "refuse");
RIDESTREAM_RANGED_FLAG(uint32_t, candidates, 16, "Nearest drivers that are considered for a trip",
                       1, 1'000);
RIDESTREAM_RANGED_FLAG(
    absl::Duration, drop_after, absl::Minutes(10),
    "A session whose driver has no stream is kept so long for a resume, at least --suspect_after; "
    "until then the driver can begin in another market only by ending its shift",
    kTick, kDay);
RIDESTREAM_RANGED_FLAG(uint32_t, max_sessions, 20'000,
                       "Sessions that are held at most. Where there is no room, drivers who are "
                       "away with nothing to do, or never sent a position, make some",
                       1, kMostSessions);
RIDESTREAM_RANGED_FLAG(uint32_t, max_sessions_per_address, 0,
                       "Sessions of drivers who come from one address, or one IPv6 /64. 0: half of "
                       "--max_sessions, and from this machine itself all of them",
                       0, kMostSessions);
RIDESTREAM_RANGED_FLAG(
    double, max_commands_per_s, 10,
    "Commands a second that one driver may send, twice as many at once; one more ends its stream "
    "with RESOURCE_EXHAUSTED, and the driver resumes. 0: no limit",
    0, 1e6);
RIDESTREAM_RANGED_FLAG(double, max_positions_per_s, 10,
                       "Positions a second that one driver may send; those beyond are dropped, "
                       "since the next says the same better. 0: no limit",
                       0, 1e6);
ABSL_FLAG(std::string, advertise, "",
          "Address at which drivers reach this process, told to those who ask another one for a "
          "market that this one decides for; empty: the one it serves on");
RIDESTREAM_RANGED_FLAG(
    absl::Duration, lease, absl::Seconds(2),
    "How long this process keeps a market to itself after it was last heard by "
    "trip, of the wall's time; then another dispatch that serves the market takes "
    "over",
    absl::Milliseconds(500), absl::Minutes(1));
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "How long SIGTERM waits for what is under way", absl::ZeroDuration(),
                       absl::Hours(1));

namespace ridestream::dispatch {
namespace {

constexpr char kUsage[] =
    "Ridestream's dispatch: holds the drivers' streams, matches riders with drivers, and pushes "
    "offers "
    "and plans.\n"
    "Needs the trip and location services. All durations are of the city's clock (--clock_rate).\n"
    "Every flag can also be given as an environment variable: --offer_lease is "
    "RIDESTREAM_OFFER_LEASE.\n\n"
    "  dispatch --trip=127.0.0.1:7001 --location=127.0.0.1:7002 --markets=porto=porto.osm.pbf";

Duration Chrono(const absl::Flag<absl::Duration>& flag) {
  return absl::ToChronoMicroseconds(absl::GetFlag(flag));
}

absl::Status CheckFlags() {
  for (absl::Status status :
       {service::CheckRange(FLAGS_drop_after, absl::GetFlag(FLAGS_suspect_after), kDay),
        service::CheckRange(FLAGS_max_radius_m, absl::GetFlag(FLAGS_search_radius_m), 50'000)}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<MatchingMethod> MatchingFromFlag() {
  const std::string method = absl::GetFlag(FLAGS_matching);
  if (method == "assignment") return MatchingMethod::kAssignment;
  if (method == "nearest") return MatchingMethod::kNearestByTime;
  if (method == "nearest_line") return MatchingMethod::kNearestByLine;
  return absl::InvalidArgumentError(
      fmt::format("--matching={}: must be assignment, nearest or nearest_line", method));
}

absl::StatusOr<SharingConfig> SharingFromFlag() {
  const std::string mode = absl::GetFlag(FLAGS_sharing);
  if (mode == "search") return SharingConfig{SharingMode::kInsertionAndMoves};
  if (mode == "insertion") return SharingConfig{SharingMode::kInsertion};
  if (mode == "off") return SharingConfig{SharingMode::kOff};
  return absl::InvalidArgumentError(
      fmt::format("--sharing={}: must be search, insertion or off", mode));
}

absl::StatusOr<ImplausibleSteps> ImplausibleStepsFromFlag() {
  const std::string what = absl::GetFlag(FLAGS_implausible_steps);
  if (what == "count") return ImplausibleSteps::kCount;
  if (what == "refuse") return ImplausibleSteps::kRefuse;
  return absl::InvalidArgumentError(
      fmt::format("--implausible_steps={}: must be count or refuse", what));
}

StartDeadline DeadlineAfter(std::chrono::nanoseconds wall) {
  return [wall] {
    return [end = std::chrono::steady_clock::now() + wall] {
      return std::chrono::steady_clock::now() >= end;
    };
  };
}

absl::StatusOr<MarketConfig> MarketFromFlags() {
  const auto matching = MatchingFromFlag();
  if (!matching.ok()) return matching.status();
  const auto sharing = SharingFromFlag();
  if (!sharing.ok()) return sharing.status();
  const auto implausible_steps = ImplausibleStepsFromFlag();
  if (!implausible_steps.ok()) return implausible_steps.status();
  return MarketConfig{.offer_lease = Chrono(FLAGS_offer_lease),
                      .match_every = Chrono(FLAGS_match_every),
                      .matching = *matching,
                      .matching_costs = {.unmatched = Chrono(FLAGS_unmatched_cost)},
                      .matching_deadline = DeadlineAfter(
                          absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_matching_deadline))),
                      .sharing = *sharing,
                      .radius_m = absl::GetFlag(FLAGS_search_radius_m),
                      .max_radius_m = absl::GetFlag(FLAGS_max_radius_m),
                      .max_wait = Chrono(FLAGS_max_wait),
                      .price_hold = Chrono(FLAGS_price_hold),
                      .lost_after = Chrono(FLAGS_lost_after),
                      .abandon_after = Chrono(FLAGS_abandon_after),
                      .demand = {.surge_cap_percent = absl::GetFlag(FLAGS_surge_cap_percent)},
                      .implausible_steps = *implausible_steps};
}

RegistryConfig SessionsFromFlags() {
  return {.session = {.report_every = Chrono(FLAGS_report_every),
                      .suspect_after = Chrono(FLAGS_suspect_after),
                      .drop_after = Chrono(FLAGS_drop_after),
                      .max_positions_per_s = absl::GetFlag(FLAGS_max_positions_per_s),
                      .max_commands_per_s = absl::GetFlag(FLAGS_max_commands_per_s)},
          .max_sessions = absl::GetFlag(FLAGS_max_sessions),
          .max_sessions_per_address = absl::GetFlag(FLAGS_max_sessions_per_address)};
}

absl::StatusOr<DispatchServer::Options> OptionsFromFlags() {
  if (absl::Status status = CheckFlags(); !status.ok()) return status;
  auto security = rpc::SecurityOptionsFromFlags(absl::GetFlag(FLAGS_max_calls_per_s));
  if (!security.ok()) return security.status();
  auto market = MarketFromFlags();
  if (!market.ok()) return market.status();
  auto server = rpc::ServerOptionsFromFlags();
  server.address = absl::GetFlag(FLAGS_listen);
  auto streets = service::LoadStreetsFromFlags();
  if (!streets.ok()) return streets.status();
  return DispatchServer::Options{
      .server = std::move(server),
      .clock = service::MakeClock(),
      .security = *std::move(security),
      .metrics_listen = absl::GetFlag(FLAGS_metrics_listen),
      .trip = absl::GetFlag(FLAGS_trip),
      .location = absl::GetFlag(FLAGS_location),
      .sessions = SessionsFromFlags(),
      .market = *std::move(market),
      .planner = {.candidates = absl::GetFlag(FLAGS_candidates),
                  .max_pickup_time = Chrono(FLAGS_max_pickup_time)},
      .update_speeds_every = Chrono(FLAGS_update_speeds_every),
      .streets = *std::move(streets),
      .advertise = absl::GetFlag(FLAGS_advertise),
      .lease = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_lease)),
      .drain_grace = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_grace))};
}

absl::Status Run() {
  auto options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  options->on_standby = [markets = service::Describe(options->streets)](
                            const DispatchServer& server, const trip::v1::Lease& lease) {
    // The address is of use from now on, though drivers are sent elsewhere.
    service::LogServing(server.address(), {{"metrics", server.metrics_address()},
                                           {"markets", markets},
                                           {"standby_of", lease.address()},
                                           {"standby_for", lease.market()}});
  };
  options->on_ready = [markets =
                           service::Describe(options->streets)](const DispatchServer& server) {
    service::LogServing(server.address(),
                        {{"metrics", server.metrics_address()},
                         {"markets", markets},
                         {"clock_rate", fmt::format("{}", absl::GetFlag(FLAGS_clock_rate))},
                         {"authentication", server.authentication()}});
  };
  // What it knows is out of date: it starts anew, as a standby.
  const auto lost = std::make_shared<std::atomic<bool>>(false);
  options->on_lease_lost = [lost](const trip::v1::Lease&) {
    if (!lost->exchange(true)) service::RequestStop();
  };
  auto server = DispatchServer::Start(*std::move(options));
  if (!server.ok()) return server.status();
  service::DrainOnStopSignal([&] { (*server)->Drain(); });
  if (*lost) return absl::AbortedError("another process decides for a market of this one");
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::dispatch

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "dispatch", ridestream::dispatch::kUsage);
  const absl::Status status = ridestream::dispatch::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
