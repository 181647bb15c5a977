#include <fmt/format.h>

#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/base/worker.h"
#include "libs/peer_clock/peer_clock.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/limiting_authenticator.h"
#include "libs/rpc/server.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/markets.h"
#include "libs/service/service.h"
#include "libs/service/streets.h"
#include "services/dispatch/dispatch_metrics.h"
#include "services/dispatch/rpc/dispatch_service.h"
#include "services/dispatch/rpc/drive_call.h"
#include "services/dispatch/rpc/market_runner.h"
#include "services/dispatch/sessions/session_registry.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7003", "Address to serve on; port 0 takes a free one");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7103",
          "Address to serve Prometheus metrics on; port 0 takes a free one, off serves none");
ABSL_FLAG(std::string, trip, "127.0.0.1:7001", "Address of the trip service");
ABSL_FLAG(std::string, location, "127.0.0.1:7002", "Address of the location service");
ABSL_FLAG(
    std::string, markets, "city=city:1",
    "Markets served here and their streets: NAME=STREETS[,…], where STREETS is city:SEED (the "
    "built-in city) or the path of an OSM extract");
ABSL_FLAG(std::string, roads_cache, "",
          "Folder in which prepared streets are kept from one start to the next; empty: none");
ABSL_FLAG(absl::Duration, report_every, absl::Seconds(4),
          "How often drivers report a position (10ms to 1h)");
ABSL_FLAG(absl::Duration, suspect_after, absl::Seconds(15),
          "Silence after which a driver is suspect: gets no offers, and the rider is told (10ms "
          "to 24h)");
ABSL_FLAG(absl::Duration, lost_after, absl::Seconds(30),
          "After this long as suspect, a driver is lost: its trips are given to others, and riders "
          "aboard "
          "may leave (0 to 24h)");
ABSL_FLAG(absl::Duration, abandon_after, absl::Minutes(10),
          "A trip whose driver was lost with the rider aboard is cancelled after this, unless the "
          "driver is heard again (10ms to 24h)");
ABSL_FLAG(absl::Duration, offer_lease, absl::Seconds(15),
          "How long a driver may think about an offer (10ms to 1h)");
ABSL_FLAG(absl::Duration, match_every, absl::Seconds(1),
          "From one matching round to the next; where few wait, a new trip has its round at once "
          "(10ms to 1h)");
ABSL_FLAG(std::string, matching, "assignment",
          "How a round pairs riders with drivers: assignment (all at once, at the least cost), "
          "nearest (the oldest request first, by travel time) or nearest_line");
ABSL_FLAG(absl::Duration, matching_deadline, absl::Milliseconds(100),
          "How long a round may look for the best assignment, by the wall's clock; the rest is "
          "paired greedily (1ms to 1m)");
ABSL_FLAG(std::string, sharing, "search",
          "Riders who share: search (are put into plans under way, and moved to better ones until "
          "their driver has come), insertion (aren't moved) or off (have a car each)");
ABSL_FLAG(uint32_t, search_radius_m, 2'000,
          "How far from the pick-up the first round of a trip looks for drivers, in metres; each "
          "further round looks twice as far, up to --max_radius_m (10 to 50000)");
ABSL_FLAG(uint32_t, max_radius_m, 10'000,
          "Drivers further than this from the pick-up, in a straight line and in metres, aren't "
          "offered the trip (--search_radius_m to 50000)");
ABSL_FLAG(absl::Duration, max_pickup_time, absl::Minutes(10),
          "Drivers who need longer than this to the pick-up aren't offered the trip (1s to 24h)");
ABSL_FLAG(
    absl::Duration, unmatched_cost, absl::Minutes(10),
    "What leaving a rider without a driver for a round costs the assignment, in time: the "
    "larger, the longer ways it accepts at once for a driver whom others want too (0 to 24h)");
ABSL_FLAG(absl::Duration, price_hold, absl::Seconds(10),
          "How long the assignment may leave a trip waiting for a nearer car although a driver "
          "whom nobody else wants is within the limits (0 to 24h)");
ABSL_FLAG(absl::Duration, max_wait, absl::Minutes(5),
          "A trip for which no driver was found for so long is given up (10ms to 24h)");
ABSL_FLAG(absl::Duration, update_speeds_every, absl::Minutes(5),
          "How often the streets' travel times follow what cars drive (0 for never, or 1s to 24h)");
ABSL_FLAG(uint32_t, surge_cap_percent, 200,
          "What rides cost at most where more want to ride than cars are there, in percent of the "
          "tariff (100, which is no surge, to 1000)");
ABSL_FLAG(std::string, implausible_steps, "count",
          "Steps (arrived, picked up, dropped off) that can't have been made by where the driver's "
          "car was seen: count (they are carried out, logged and put on the trip's record) or "
          "refuse");
ABSL_FLAG(uint32_t, candidates, 16, "Nearest drivers that are considered for a trip (1 to 1000)");
ABSL_FLAG(absl::Duration, drop_after, absl::Minutes(10),
          "A session whose driver has no stream is kept so long for a resume (--suspect_after to "
          "24h); until then the driver can begin in another market only by ending its shift");
ABSL_FLAG(
    uint32_t, max_sessions, 20'000,
    "Sessions that are held at most (1 or more). Where there is no room, drivers who are away "
    "with nothing to do, or never sent a position, make some");
ABSL_FLAG(uint32_t, max_sessions_per_address, 0,
          "Sessions of drivers who come from one address, or one IPv6 /64 (1 or more). 0: half of "
          "--max_sessions, and from this machine itself all of them");
ABSL_FLAG(double, max_commands_per_s, 10,
          "Commands a second that one driver may send, twice as many at once; one more ends its "
          "stream with RESOURCE_EXHAUSTED, and the driver resumes (0 to 1e6; 0: no limit)");
ABSL_FLAG(double, max_positions_per_s, 10,
          "Positions a second that one driver may send; those beyond are dropped, since the next "
          "says the same better (0 to 1e6; 0: no limit)");
ABSL_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
          "How long SIGTERM waits for what is under way (0 to 1h)");

namespace ridestream {
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
  using service::CheckRange;
  constexpr absl::Duration kTick = absl::Milliseconds(10);
  const std::uint32_t most = std::numeric_limits<std::int32_t>::max();
  for (absl::Status status :
       {CheckRange(FLAGS_report_every, kTick, absl::Hours(1)),
        CheckRange(FLAGS_suspect_after, kTick, absl::Hours(24)),
        CheckRange(FLAGS_drop_after, absl::GetFlag(FLAGS_suspect_after), absl::Hours(24)),
        CheckRange(FLAGS_lost_after, absl::ZeroDuration(), absl::Hours(24)),
        CheckRange(FLAGS_abandon_after, kTick, absl::Hours(24)),
        CheckRange(FLAGS_offer_lease, kTick, absl::Hours(1)),
        CheckRange(FLAGS_match_every, kTick, absl::Hours(1)),
        CheckRange(FLAGS_matching_deadline, absl::Milliseconds(1), absl::Minutes(1)),
        CheckRange(FLAGS_surge_cap_percent, 100, 1'000),
        absl::GetFlag(FLAGS_update_speeds_every) == absl::ZeroDuration()
            ? absl::OkStatus()
            : CheckRange(FLAGS_update_speeds_every, absl::Seconds(1), absl::Hours(24)),
        CheckRange(FLAGS_search_radius_m, 10, 50'000),
        CheckRange(FLAGS_max_radius_m, absl::GetFlag(FLAGS_search_radius_m), 50'000),
        CheckRange(FLAGS_max_pickup_time, absl::Seconds(1), absl::Hours(24)),
        CheckRange(FLAGS_unmatched_cost, absl::ZeroDuration(), absl::Hours(24)),
        CheckRange(FLAGS_price_hold, absl::ZeroDuration(), absl::Hours(24)),
        CheckRange(FLAGS_max_wait, kTick, absl::Hours(24)),
        CheckRange(FLAGS_candidates, 1, 1'000),
        CheckRange(FLAGS_max_sessions, 1, most),
        CheckRange(FLAGS_max_sessions_per_address, 0, most),
        CheckRange(FLAGS_max_positions_per_s, 0.0, 1e6),
        CheckRange(FLAGS_max_commands_per_s, 0.0, 1e6),
        CheckRange(FLAGS_drain_grace, absl::ZeroDuration(), absl::Hours(1))}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<dispatch::MatchingMethod> MatchingFromFlag() {
  const std::string method = absl::GetFlag(FLAGS_matching);
  if (method == "assignment") return dispatch::MatchingMethod::kAssignment;
  if (method == "nearest") return dispatch::MatchingMethod::kNearestByTime;
  if (method == "nearest_line") return dispatch::MatchingMethod::kNearestByLine;
  return absl::InvalidArgumentError(
      fmt::format("--matching={}: must be assignment, nearest or nearest_line", method));
}

absl::StatusOr<dispatch::SharingConfig> SharingFromFlag() {
  const std::string mode = absl::GetFlag(FLAGS_sharing);
  if (mode == "search") return dispatch::SharingConfig{dispatch::SharingMode::kInsertionAndMoves};
  if (mode == "insertion") return dispatch::SharingConfig{dispatch::SharingMode::kInsertion};
  if (mode == "off") return dispatch::SharingConfig{dispatch::SharingMode::kOff};
  return absl::InvalidArgumentError(
      fmt::format("--sharing={}: must be search, insertion or off", mode));
}

absl::StatusOr<dispatch::ImplausibleSteps> ImplausibleStepsFromFlag() {
  const std::string what = absl::GetFlag(FLAGS_implausible_steps);
  if (what == "count") return dispatch::ImplausibleSteps::kCount;
  if (what == "refuse") return dispatch::ImplausibleSteps::kRefuse;
  return absl::InvalidArgumentError(
      fmt::format("--implausible_steps={}: must be count or refuse", what));
}

dispatch::StartDeadline DeadlineAfter(std::chrono::nanoseconds wall) {
  return [wall] {
    return [end = std::chrono::steady_clock::now() + wall] {
      return std::chrono::steady_clock::now() >= end;
    };
  };
}

absl::Status Run() {
  if (absl::Status status = CheckFlags(); !status.ok()) return status;
  const auto matching = MatchingFromFlag();
  if (!matching.ok()) return matching.status();
  const auto sharing = SharingFromFlag();
  if (!sharing.ok()) return sharing.status();
  const auto implausible_steps = ImplausibleStepsFromFlag();
  if (!implausible_steps.ok()) return implausible_steps.status();
  const auto specs = service::ParseMarkets(absl::GetFlag(FLAGS_markets));
  if (!specs.ok()) return specs.status();

  metrics::ServiceMetrics metrics("dispatch", {"ridestream.dispatch.v1.DispatchService"},
                                  absl::GetFlag(FLAGS_metrics_listen));
  const std::shared_ptr<const Clock> clock = service::MakeClock();
  TimerQueue timers;
  ThreadExecutor executor;
  const auto trip_channel = rpc::MakeChannel(
      absl::GetFlag(FLAGS_trip),
      {.retried_services = {"ridestream.trip.v1.TripService"}, .keepalive = rpc::kInnerKeepalive});
  const auto location_channel =
      rpc::MakeChannel(absl::GetFlag(FLAGS_location),
                       {.retried_services = {"ridestream.location.v1.LocationService"},
                        .keepalive = rpc::kInnerKeepalive});
  const auto trip = trip::v1::TripService::NewStub(trip_channel);
  const auto location = location::v1::LocationService::NewStub(location_channel);
  const rpc::Caller self{rpc::CallerKind::kService, "dispatch"};
  PeerClock trip_clock(*clock, timers, clock::v1::ClockService::NewStub(trip_channel),
                       {.peer = "trip", .self = self});
  PeerClock location_clock(*clock, timers, clock::v1::ClockService::NewStub(location_channel),
                           {.peer = "location", .self = self});
  dispatch::ProgressReporter progress(timers, *trip);

  std::map<MarketId, std::unique_ptr<dispatch::MarketRunner>> markets;
  dispatch::SessionRegistry sessions(
      {.session = {.report_every = Chrono(FLAGS_report_every),
                   .suspect_after = Chrono(FLAGS_suspect_after),
                   .drop_after = Chrono(FLAGS_drop_after),
                   .max_positions_per_s = absl::GetFlag(FLAGS_max_positions_per_s),
                   .max_commands_per_s = absl::GetFlag(FLAGS_max_commands_per_s),
                   .clock_rate = absl::GetFlag(FLAGS_clock_rate)},
       .max_sessions = absl::GetFlag(FLAGS_max_sessions),
       .max_sessions_per_address = absl::GetFlag(FLAGS_max_sessions_per_address)},
      *clock, timers, [&markets](const MarketId& market) -> dispatch::SessionRegistry::MarketPorts {
        const auto found = markets.find(market);
        if (found == markets.end()) return {};
        return {found->second.get(), &found->second->positions(), &found->second->offer_times(),
                &found->second->area()};
      });

  std::string served;
  for (const service::MarketSpec& spec : *specs) {
    auto streets = service::LoadStreets(spec, absl::GetFlag(FLAGS_roads_cache));
    if (!streets.ok()) return streets.status();
    served += fmt::format("{}{} ({})", served.empty() ? "" : ", ", spec.market,
                          (*streets)->description());
    markets[spec.market] = std::make_unique<dispatch::MarketRunner>(
        dispatch::MarketConfig{
            .market = spec.market,
            .offer_lease = Chrono(FLAGS_offer_lease),
            .match_every = Chrono(FLAGS_match_every),
            .matching = *matching,
            .matching_costs = {.unmatched = Chrono(FLAGS_unmatched_cost)},
            .matching_deadline =
                DeadlineAfter(absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_matching_deadline))),
            .sharing = *sharing,
            .radius_m = absl::GetFlag(FLAGS_search_radius_m),
            .max_radius_m = absl::GetFlag(FLAGS_max_radius_m),
            .max_wait = Chrono(FLAGS_max_wait),
            .price_hold = Chrono(FLAGS_price_hold),
            .lost_after = Chrono(FLAGS_lost_after),
            .abandon_after = Chrono(FLAGS_abandon_after),
            .demand = {.surge_cap_percent = absl::GetFlag(FLAGS_surge_cap_percent)},
            .implausible_steps = *implausible_steps,
            .offer_id_prefix = fmt::format("o-{}-", sessions.FreshSessionId())},
        dispatch::PlannerConfig{.candidates = absl::GetFlag(FLAGS_candidates),
                                .max_pickup_time = Chrono(FLAGS_max_pickup_time)},
        Chrono(FLAGS_update_speeds_every), *std::move(streets),
        dispatch::MarketRunner::Surroundings{*clock, timers, executor, trip_clock, sessions, *trip,
                                             *location, progress, metrics.registry()});
  }
  dispatch::AddSessionReadings(metrics, sessions, absl::GetFlag(FLAGS_max_sessions));
  dispatch::AddMarketReadings(metrics, markets);
  dispatch::AddClockReadings(metrics, {{"trip", &trip_clock}, {"location", &location_clock}});
  const auto exporter = metrics.Serve();
  if (!exporter.ok()) return exporter.status();

  auto server_options = rpc::ServerOptionsFromFlags();
  if (!server_options.ok()) return server_options.status();
  metrics.AddConnections(server_options->connections);
  const rpc::TrustingAuthenticator trusting;
  const rpc::LimitingAuthenticator authenticator(trusting, absl::GetFlag(FLAGS_max_calls_per_s));
  dispatch::DispatchService service(sessions, authenticator, metrics.calls());
  server_options->address = absl::GetFlag(FLAGS_listen);
  server_options->services = {&service};
  server_options->on_drain = {[&sessions] { sessions.Drain(); }};
  server_options->call_observer = metrics.calls();
  server_options->observed_by_service = {dispatch::kDriveMethod};
  auto server = rpc::Server::Start(*std::move(server_options));
  if (!server.ok()) return server.status();
  (*server)->SetServing(false);

  // Ready when every market knows the trips that are open, while the clocks can be used together.
  std::atomic<std::size_t> caught_up = 0;
  Mutex readiness;
  bool announced = false;
  const auto update_readiness = [&] {
    MutexLock lock(readiness);
    const bool ready = caught_up == markets.size() &&
                       trip_clock.verdict() != ClockVerdict::kUnusable &&
                       location_clock.verdict() != ClockVerdict::kUnusable;
    (*server)->SetServing(ready);
    if (!ready || std::exchange(announced, true)) return;
    const std::string address = absl::GetFlag(FLAGS_listen);
    service::LogServing(
        fmt::format("{}:{}", address.substr(0, address.rfind(':')), (*server)->port()),
        {{"metrics", (*exporter)->address()},
         {"markets", served},
         {"clock_rate", fmt::format("{}", absl::GetFlag(FLAGS_clock_rate))},
         {"authentication", authenticator.description()}});
  };
  // The records of the log are of trip's time, so that is learned first.
  trip_clock.Start([&, started = false]() mutable {
    update_readiness();
    if (std::exchange(started, true)) return;
    for (auto& [id, market] : markets) {
      market->Start([&, first = true]() mutable {
        if (!std::exchange(first, false)) return;
        ++caught_up;
        update_readiness();
      });
    }
  });
  location_clock.Start([&] { update_readiness(); });

  const std::string_view signal = service::WaitForStopSignal();
  service::Log(service::Level::kInfo, "draining", {{"signal", std::string(signal)}});
  trip_clock.Stop();
  location_clock.Stop();
  (*server)->Drain(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_grace)));
  for (auto& [id, market] : markets) market->Stop();
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "dispatch", ridestream::kUsage);
  const absl::Status status = ridestream::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
