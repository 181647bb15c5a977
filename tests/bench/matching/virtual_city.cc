#include "tests/bench/matching/virtual_city.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/streets/way_search.h"
#include "tests/bench/matching/thread_time.h"

namespace ridestream::bench {
namespace {

// Realistic durations: a durable commit, a route, a message to or from a driver.
constexpr Duration kCommit = std::chrono::milliseconds(5);
constexpr Duration kRoute = std::chrono::milliseconds(2);
constexpr Duration kMessage = std::chrono::milliseconds(50);
/// An idle driver is polled again after this time.
constexpr Duration kIdlePause = std::chrono::milliseconds(200);
constexpr Duration kReportEvery = std::chrono::minutes(5);
/// A city that isn't over by then never will be.
constexpr Duration kEnd = std::chrono::hours(6);

Duration Since(std::chrono::nanoseconds start) {
  return std::chrono::duration_cast<Duration>(ThreadTime() - start);
}

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

VirtualCity::VirtualCity(VirtualCityOptions options, const roads::Streets& streets)
    : options_(std::move(options)),
      streets_(streets),
      agenda_(ScaledClock::kAnchor),
      trips_(options_.market.market.str(), streets.router(), options_.sharing,
             [this](const trip::v1::TripEvent& event) { OnLog(event); }),
      market_(options_.market),
      search_(streets.router(), {}) {}

CityResult VirtualCity::Run() {
  Begin();
  const Time begin = agenda_.now();
  Duration reported{};
  while (!IsOver() && agenda_.now() < begin + kEnd && agenda_.DoNext()) {
    const Duration passed = agenda_.now() - begin;
    if (!options_.on_minutes || passed < reported + kReportEvery) continue;
    reported += kReportEvery;
    options_.on_minutes(std::chrono::floor<std::chrono::minutes>(reported), requested_);
  }
  return Measure();
}

void VirtualCity::Begin() {
  for (std::size_t i = 0; i < options_.fleet.size(); ++i) {
    const DriverId id(fmt::format("d-{:05}", i));
    Seat& seat = seats_[id];
    seat.driver =
        std::make_unique<VirtualDriver>(id, options_.fleet[i], options_.offers, options_.stops,
                                        loadtest::Random(options_.seed, i), agenda_.now());
    dispatch::DriverConnected connected{id, 1, false, {}};
    connected.hello.set_seats(options_.fleet[i].seats);
    connected.hello.set_accepts_insertions(true);
    Feed(connected);
  }
  Feed(dispatch::LogCaughtUp{});
  for (std::size_t i = 0; i < options_.requests.size(); ++i) {
    agenda_.At(agenda_.now() + options_.requests[i].due, [this, i] { Request(i); });
  }
}

void VirtualCity::Request(std::size_t index) {
  ++requested_;
  trips_.MoveTo(agenda_.now());
  loadtest::Random random(~options_.seed, index);
  const bool shared = random.Chance(options_.shared_probability);
  const absl::Status status =
      trips_.Request(fmt::format("t-{:06}", index), options_.requests[index], shared);
  if (!status.ok()) ++refused_;
}

void VirtualCity::OnLog(const trip::v1::TripEvent& event) {
  for (const char byte : event.SerializeAsString()) {  // FNV-1a, 64 bits.
    fingerprint_ = (fingerprint_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  }
  if (event.previous_state() == trip::v1::TRIP_STATE_UNSPECIFIED) ++open_trips_;
  if (dispatch::IsEnded(event.trip().state())) --open_trips_;
  agenda_.At(agenda_.now() + kCommit, [this, event] { Feed(dispatch::TripLogged{event}); });
}

bool VirtualCity::IsOver() const {
  return requested_ == options_.requests.size() && open_trips_ == 0;
}

// The market.

void VirtualCity::Feed(const dispatch::Event& event) {
  Duration thought{};
  FeedTimed(event, thought);
}

void VirtualCity::FeedTimed(const dispatch::Event& event, Duration& thought) {
  const std::chrono::nanoseconds start = ThreadTime();
  std::vector<dispatch::Decision> decisions = market_.Handle(event, agenda_.now());
  thought = Since(start);
  round_began_thought_ = thought;
  const Duration lag = options_.charge_thinking ? thought : Duration::zero();
  for (dispatch::Decision& decision : decisions) {
    std::visit([&](auto& what) { Do(std::move(what), lag); }, decision);
  }
  ScheduleWake();
}

void VirtualCity::ScheduleWake() {
  const std::optional<Time> next = market_.NextWake();
  if (!next || *next >= wake_) return;
  wake_ = *next;
  agenda_.At(wake_, [this, planned = wake_] {
    if (planned != wake_) return;  // An earlier wake-up came in between.
    wake_ = Time::max();
    Feed(dispatch::Wake{});
  });
}

void VirtualCity::Do(dispatch::TripCommand decision, Duration lag) {
  agenda_.At(agenda_.now() + lag + kCommit, [this, decision = std::move(decision)] {
    trips_.MoveTo(agenda_.now());
    Feed(dispatch::CommandDone{decision.command, trips_.Do(decision)});
  });
}

void VirtualCity::Do(dispatch::FindRoute decision, Duration lag) {
  dispatch::RouteFound found{decision.driver, decision.request,
                             dispatch::FindWay(streets_.router(), decision)};
  agenda_.At(agenda_.now() + lag + kRoute, [this, found = std::move(found)] { Feed(found); });
}

void VirtualCity::Do(dispatch::FindCandidates decision, Duration lag) {
  std::vector<std::vector<dispatch::NearbyDriver>> nearby;
  for (const auto& query : decision.queries) nearby.push_back(Nearest(query));
  const std::chrono::nanoseconds start = ThreadTime();
  search_.Begin(std::move(decision), std::move(nearby));
  while (search_.Step()) {
  }
  dispatch::CandidatesFound found = search_.Take();
  const Duration thought = round_began_thought_ + Since(start);
  const Duration later = options_.charge_thinking ? lag + Since(start) : Duration::zero();
  agenda_.At(agenda_.now() + later, [this, thought, found = std::move(found)] {
    Duration chose{};
    FeedTimed(found, chose);
    round_us_.Add((thought + chose).count());
  });
}

std::vector<dispatch::NearbyDriver> VirtualCity::Nearest(
    const dispatch::FindCandidates::Query& query) const {
  struct Near {
    double distance_m;
    const VirtualDriver* driver;
  };
  std::vector<Near> near;
  for (const auto& [id, free_seats] : idle_) {
    const VirtualDriver& driver = *seats_.at(id).driver;
    const double distance_m = FastDistanceM(query.pickup, driver.place());
    if (free_seats >= query.party_size && distance_m <= query.radius_m) {
      near.push_back({distance_m, &driver});
    }
  }
  const auto by_distance = [](const Near& a, const Near& b) {
    return std::tie(a.distance_m, a.driver->id()) < std::tie(b.distance_m, b.driver->id());
  };
  const std::size_t count = std::min(near.size(), options_.candidates);
  std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(count), near.end(),
                    by_distance);
  std::vector<dispatch::NearbyDriver> nearest;
  for (std::size_t i = 0; i < count; ++i) {
    nearest.push_back({near[i].driver->id(), near[i].driver->place()});
  }
  return nearest;
}

// Drivers.

void VirtualCity::Do(dispatch::Push decision, Duration lag) {
  agenda_.At(agenda_.now() + lag + kMessage, [this, decision = std::move(decision)] {
    Seat& seat = seats_.at(decision.driver);
    seat.driver->OnMessage(decision.message, agenda_.now());
    ScheduleDriver(seat);
  });
}

void VirtualCity::Do(const dispatch::SetAvailability& decision, Duration) {
  Seat& seat = seats_.at(decision.driver);
  if (decision.state == location::v1::DRIVER_STATE_IDLE) {
    idle_[decision.driver] = decision.free_seats;
  } else {
    idle_.erase(decision.driver);
  }
  seat.wants_positions = decision.wants_positions;
  if (!seat.wants_positions || seat.reporting) return;
  seat.reporting = true;
  loadtest::Random random(options_.seed + 1,
                          static_cast<std::uint64_t>(agenda_.now().time_since_epoch().count()));
  agenda_.At(agenda_.now() + random.Between(Duration::zero(), options_.report_every),
             [this, &seat] { ReportPosition(seat); });
}

void VirtualCity::ReportPosition(Seat& seat) {
  seat.reporting = seat.wants_positions;
  if (!seat.reporting) return;
  TickDriver(seat);
  Feed(dispatch::DriverMoved{seat.driver->id(), seat.driver->place()});
  agenda_.At(agenda_.now() + options_.report_every, [this, &seat] { ReportPosition(seat); });
}

void VirtualCity::ScheduleDriver(Seat& seat) {
  const Time wake = seat.driver->wake_at();
  if (wake >= seat.due) return;
  seat.due = std::max(wake, agenda_.now());
  agenda_.At(seat.due, [this, &seat, due = seat.due] {
    if (seat.due == due) TickDriver(seat);
  });
}

void VirtualCity::TickDriver(Seat& seat) {
  seat.due = Time::max();
  VirtualDriver::Messages messages = seat.driver->OnTime(agenda_.now());
  const DriverId id = seat.driver->id();
  const bool silent = messages.answers.empty() && messages.steps.empty();
  if (!silent) {
    agenda_.At(agenda_.now() + kMessage, [this, id, messages = std::move(messages)] {
      for (const auto& answer : messages.answers) Feed(dispatch::OfferAnswered{id, answer});
      for (const auto& step : messages.steps) Feed(dispatch::StopUpdated{id, step});
    });
  }
  const Time wake = seat.driver->wake_at();
  if (wake == Time::max()) return;
  seat.due = std::max(wake, agenda_.now() + (silent ? kIdlePause : Duration(0)));
  agenda_.At(seat.due, [this, &seat, due = seat.due] {
    if (seat.due == due) TickDriver(seat);
  });
}

// What came of it.

CityResult VirtualCity::Measure() {
  CityResult result;
  result.requests = requested_;
  result.refused = refused_;
  loadtest::Histogram wait;
  Duration ridden{}, direct{};
  for (const trip::v1::Trip& trip : trips_.All()) {
    if (trip.has_promise()) ++result.shared;
    if (trip.state() != trip::v1::TRIP_STATE_COMPLETED) continue;
    ++result.served;
    const Time arrived = FromProto(trip.arrived_at());
    const Time ended = FromProto(trip.ended_at());
    wait.Add(Duration(arrived - FromProto(trip.requested_at())).count());
    ridden += ended - FromProto(trip.aboard_at());
    direct += VirtualTrips::Direct(trip);
    if (trip.has_promise() && (arrived > FromProto(trip.promise().latest_pickup_at()) ||
                               ended > FromProto(trip.promise().latest_dropoff_at()))) {
      ++result.broken_promises;
    }
  }
  Mileage sum;
  for (const auto& [id, seat] : seats_) {
    sum.empty_m += seat.driver->mileage().empty_m;
    sum.occupied_m += seat.driver->mileage().occupied_m;
    sum.trip_m += seat.driver->mileage().trip_m;
    result.violations += seat.driver->history().violation_count;
  }
  const auto share = [](double part, double whole) { return whole == 0 ? 0 : part / whole; };
  const double driven_m = sum.empty_m + sum.occupied_m;
  result.promises_broken = market_.promises_broken();
  result.wait_mean_s = wait.mean() / 1e6;
  result.wait_p95_s = static_cast<double>(wait.Quantile(0.95)) / 1e6;
  result.detour = share(Seconds(ridden), Seconds(direct)) - (direct == Duration::zero() ? 0 : 1);
  result.km_per_rider = share(driven_m / 1'000, static_cast<double>(result.served));
  result.empty_share = share(sum.empty_m, driven_m);
  result.riders_per_car = share(sum.trip_m, sum.occupied_m);
  result.round_ms_p50 = static_cast<double>(round_us_.Quantile(0.5)) / 1e3;
  result.round_ms_p99 = static_cast<double>(round_us_.Quantile(0.99)) / 1e3;
  result.rounds = round_us_.count();
  result.rounds_out_of_time = market_.rounds_out_of_time();
  result.fingerprint = fingerprint_;
  return result;
}

}  // namespace ridestream::bench
