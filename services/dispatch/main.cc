// Converts flags to the options of a DispatchServer and runs it until SIGTERM or SIGINT.

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/rpc/grpc_library.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/service/streets.h"
#include "libs/tracing/trace_flags.h"
#include "services/dispatch/dispatch_server.h"

constexpr absl::Duration kTick = absl::Milliseconds(10);
constexpr absl::Duration kDay = absl::Hours(24);
constexpr std::uint32_t kMostSessions = std::numeric_limits<std::int32_t>::max();

ABSL_FLAG(std::string, listen, "127.0.0.1:7003",
          "Address to serve on, HOST:PORT. Port 0 takes a free port");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7103",
          "Address to serve Prometheus metrics on, HOST:PORT. Port 0 takes a free port, off "
          "disables metrics");
ABSL_FLAG(std::string, trip, "127.0.0.1:7001", "Address of the trip service");
ABSL_FLAG(std::string, location, "127.0.0.1:7002", "Address of the location service");
RIDESTREAM_RANGED_FLAG(absl::Duration, report_every, absl::Seconds(4),
                       "Interval at which drivers report their position", kTick, absl::Hours(1));
RIDESTREAM_RANGED_FLAG(absl::Duration, suspect_after, absl::Seconds(15),
                       "Silence after which a driver becomes suspect: the driver gets no offers, "
                       "and the riders are notified. At least --report_every",
                       kTick, kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, lost_after, absl::Seconds(30),
                       "Time as suspect after which a driver is lost: trips before the pick-up are "
                       "released, and riders aboard may end their trips",
                       absl::ZeroDuration(), kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, abandon_after, absl::Minutes(10),
                       "Time after which a trip is cancelled whose driver was lost with the rider "
                       "aboard. A message from the driver stops the timer",
                       kTick, kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, offer_lease, absl::Seconds(15),
                       "Time that a driver has to answer an offer", kTick, absl::Hours(1));
RIDESTREAM_RANGED_FLAG(
    absl::Duration, match_every, absl::Seconds(1),
    "Interval between matching rounds. While few trips wait, a new trip gets a round at once",
    kTick, absl::Hours(1));
ABSL_FLAG(std::string, matching, "assignment",
          "How a round pairs trips with drivers: assignment (all at once, at the least total "
          "cost), nearest (oldest request first, the driver with the shortest travel time) or "
          "nearest_line (oldest request first, the nearest driver in a straight line)");
RIDESTREAM_RANGED_FLAG(absl::Duration, matching_deadline, absl::Milliseconds(100),
                       "Wall-clock time that a round may spend on the best assignment. Trips that "
                       "are left are matched greedily",
                       absl::Milliseconds(1), absl::Minutes(1));
ABSL_FLAG(
    std::string, sharing, "search",
    "Shared rides: search (insert riders into plans under way, and move them to better plans until "
    "their driver arrives), insertion (never move them) or off (every rider has a car)");
RIDESTREAM_RANGED_FLAG(uint32_t, search_radius_m, 2'000,
                       "Radius around the pick-up in which a trip's first round looks for drivers, "
                       "in metres. Each further round doubles it, up to --max_radius_m",
                       10, 50'000);
RIDESTREAM_RANGED_FLAG(uint32_t, max_radius_m, 10'000,
                       "Largest straight-line distance between a driver and the pick-up of an "
                       "offered trip, in metres. At least --search_radius_m",
                       10, 50'000);
RIDESTREAM_RANGED_FLAG(absl::Duration, max_pickup_time, absl::Minutes(10),
                       "Longest travel time to the pick-up of an offered trip", absl::Seconds(1),
                       kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, unmatched_cost, absl::Minutes(10),
                       "Cost of leaving a trip without a driver for one round, as a time per "
                       "person. The larger the cost, the longer the travel times to the pick-up "
                       "that the assignment accepts for drivers that several trips compete for",
                       absl::ZeroDuration(), kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, price_hold, absl::Seconds(10),
                       "Longest time for which the assignment keeps a trip waiting for a nearer "
                       "driver, although a driver that no other trip needs is within the limits",
                       absl::ZeroDuration(), kDay);
RIDESTREAM_RANGED_FLAG(absl::Duration, max_wait, absl::Minutes(5),
                       "Time without a driver after which a trip is given up", kTick, kDay);
RIDESTREAM_RANGED_FLAG(
    absl::Duration, update_speeds_every, absl::Minutes(5),
    "Interval at which travel times are updated from the speeds that cars drive. 0: never",
    absl::Seconds(1), kDay, /*or_zero=*/true);
RIDESTREAM_RANGED_FLAG(uint32_t, surge_cap_percent, 200,
                       "Highest price under surge, in percent of the tariff. 100 disables surge",
                       100, 1'000);
ABSL_FLAG(std::string, implausible_steps, "count",
          "Steps (arrived, picked up, dropped off) that contradict the positions of the driver's "
          "car: count (accept, log and record them on the trip) or refuse");
RIDESTREAM_RANGED_FLAG(uint32_t, candidates, 16,
                       "Number of nearest drivers that a round considers for each trip", 1, 1'000);
RIDESTREAM_RANGED_FLAG(
    absl::Duration, drop_after, absl::Minutes(10),
    "Time for which a session without a stream is kept for a resume. At least --suspect_after. "
    "Until then the driver can start in another market only after ending the shift",
    kTick, kDay);
RIDESTREAM_RANGED_FLAG(
    uint32_t, max_sessions, 20'000,
    "Number of sessions. When all are in use, a new driver takes the place of a driver without a "
    "stream who has no trip, or who never sent a valid position",
    1, kMostSessions);
RIDESTREAM_RANGED_FLAG(uint32_t, max_sessions_per_address, 0,
                       "Number of sessions from one IPv4 address or one IPv6 /64 network. 0: half "
                       "of --max_sessions, and no limit for this machine itself",
                       0, kMostSessions);
RIDESTREAM_RANGED_FLAG(
    double, max_commands_per_s, 10,
    "Commands per second for each driver, with bursts of twice as many. The next command ends the "
    "stream with RESOURCE_EXHAUSTED, and the driver resumes. 0: no limit",
    0, 1e6);
RIDESTREAM_RANGED_FLAG(double, max_positions_per_s, 10,
                       "Positions per second for each driver. Positions beyond are dropped, since "
                       "a later one replaces them. 0: no limit",
                       0, 1e6);
ABSL_FLAG(
    std::string, advertise, "",
    "Address at which drivers reach this process. Another process that serves the same market "
    "names it to drivers while this one holds the market's lease. Empty: the address of --listen, "
    "or "
    "none if that is a wildcard such as 0.0.0.0");
RIDESTREAM_RANGED_FLAG(
    absl::Duration, lease, absl::Seconds(2),
    "Wall-clock time for which this process keeps a market's lease after its last renewal at trip. "
    "Then another dispatch process that serves the market takes over",
    absl::Milliseconds(500), absl::Minutes(1));
ABSL_FLAG(std::string, record, "",
          "Folder to record what each market handles in, for ./ride replay. One process may record "
          "in a folder. Empty: records nothing");
RIDESTREAM_RANGED_FLAG(uint32_t, record_limit, 1'024,
                       "With --record: bound of each market's records in the folder, in MiB. The "
                       "oldest are removed; the record of this process ends where it alone reaches "
                       "the bound",
                       1, 1'048'576);
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "After SIGTERM, wall-clock time for calls under way to end",
                       absl::ZeroDuration(), absl::Hours(1));

namespace ridestream::dispatch {
namespace {

constexpr char kUsage[] =
    R"(Ridestream's dispatch service holds the drivers' streams, matches trips with drivers, and pushes
offers and plans. It needs the trip and location services.

Durations are on the city's clock (--clock_rate) unless a flag says otherwise. The environment sets
flags as well: RIDESTREAM_OFFER_LEASE=20s is --offer_lease=20s. The command line takes precedence.

  dispatch --trip=127.0.0.1:7001 --location=127.0.0.1:7002 --markets=porto=porto.osm.pbf)";

Duration Chrono(const absl::Flag<absl::Duration>& flag) {
  return absl::ToChronoMicroseconds(absl::GetFlag(flag));
}

absl::Status CheckFlags() {
  for (absl::Status status : {service::CheckAtLeast(FLAGS_drop_after, FLAGS_suspect_after),
                              service::CheckAtLeast(FLAGS_max_radius_m, FLAGS_search_radius_m)}) {
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
      .record = absl::GetFlag(FLAGS_record),
      .record_limit_bytes = std::uint64_t{absl::GetFlag(FLAGS_record_limit)} << 20,
      .drain_grace = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_grace))};
}

absl::Status Run() {
  const auto traced = tracing::TracedProcess::StartFromFlags("dispatch");
  if (!traced.ok()) return traced.status();
  auto options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  options->on_standby = [markets = service::Describe(options->streets)](
                            const DispatchServer& server, const trip::v1::Lease& lease) {
    // The address is usable from now on, though drivers are sent elsewhere.
    service::LogServing(server.address(), {{"metrics", server.metrics_address()},
                                           {"markets", markets},
                                           {"standby_of", lease.address()},
                                           {"standby_for", lease.market()},
                                           {"grpc", rpc::LoadedGrpc()}});
  };
  options->on_ready = [markets =
                           service::Describe(options->streets)](const DispatchServer& server) {
    service::LogServing(server.address(),
                        {{"metrics", server.metrics_address()},
                         {"markets", markets},
                         {"clock_rate", fmt::format("{}", absl::GetFlag(FLAGS_clock_rate))},
                         {"grpc", rpc::LoadedGrpc()},
                         {"authentication", server.authentication()}});
  };
  options->on_lease_lost = service::RequestStop;
  auto server = DispatchServer::Start(*std::move(options));
  if (!server.ok()) return server.status();
  service::DrainOnStopSignal([&] { (*server)->Drain(); });
  return (*server)->lease_status();
}

}  // namespace
}  // namespace ridestream::dispatch

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "dispatch", ridestream::dispatch::kUsage);
  const absl::Status status = ridestream::dispatch::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
