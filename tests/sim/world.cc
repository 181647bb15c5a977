#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "loadtest/auditor/auditor.h"
#include "loadtest/auditor/trip_states.h"

namespace ridestream::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Longer than the longest ride, wait and search together.
constexpr Duration kRidersRestWithin = hours(1);
constexpr Duration kDriversRestWithin = minutes(10);
// Half-open streams are found by then, by keepalive or by the session's own silence.
constexpr Duration kStreamsRestWithin = seconds(70);
constexpr Duration kMeanBetweenRiders = seconds(15);
constexpr std::size_t kMaxOpenRiders = 10;
// How long dispatch waits for streams to end; its --drain_grace.
constexpr Duration kDrainGrace = seconds(5);
constexpr Duration kLookAtDrainEvery = milliseconds(200);

}  // namespace

World::World(const RunOptions& options) : options_(options), context_(options.seed, options.print) {
  driver_habits_.market = kMarket;
  // Some drivers think longer than an offer lasts.
  driver_habits_.offers = {.accept_probability = 0.75,
                           .decline_probability = 0.1,
                           .think_min = milliseconds(200),
                           .think_max = seconds(17)};
  driver_habits_.stops = {.boarding_min = seconds(1), .boarding_max = seconds(5)};
  driver_habits_.give_up_probability = 0.05;
  driver_habits_.disconnects_per_hour = context_.faults.never() ? 0 : 10;
  driver_habits_.shifts_per_hour = 4;
  rider_habits_.cancel_probability = 0.15;
  rider_habits_.cancel_within = minutes(2);
  rider_habits_.change_destination_probability = 0.15;
  rider_habits_.change_within = minutes(2);
  rider_habits_.repeat_request_probability = 0.2;
  // No rider cancels a trip that waits forever, so the check finds such a trip.
  rider_habits_.patience = hours(24);
  rider_habits_.answer_within = hours(1);
  // Nobody shares, some do, or all do; with long or short promises.
  constexpr std::array kShares = {0.0, 0.5, 1.0};
  rider_habits_.share_probability = kShares[context_.random.Below(kShares.size())];
  sharing_ = {.pickup_within = minutes(1 << (1 + context_.random.Below(3))),
              .min_detour = minutes(1 << context_.random.Below(3))};
  // Some processes have room for fewer drivers than there are.
  if (!context_.faults.never() && context_.random.Chance(0.15)) {
    dispatch_options_.max_sessions = 1 + context_.random.Below(3);
  }
  // Some markets have room for few events, and reject bursts.
  if (!context_.faults.never() && context_.random.Chance(0.3)) {
    dispatch_options_.max_waiting_events = 4 + context_.random.Below(12);
  }
  // In some, two processes serve the market.
  const std::size_t processes = !context_.faults.never() && context_.random.Chance(0.5) ? 2 : 1;
  for (std::size_t i = 1; i <= processes; ++i) {
    seats_.push_back(std::make_unique<DispatchSeat>(fmt::format("dispatch-{}", i)));
  }
  StartTrip();
  StartLocation();
  for (const auto& seat : seats_) StartDispatch(*seat);
  AddDrivers();
  AddRider();
}

// Drivers and riders.

void World::StartTrip() {
  trip_host_.ComeUp();
  trip_ = std::make_unique<TripProcess>(context_, trip_host_, disk_, record_checker_, sharing_);
}

void World::StartLocation() {
  location_host_.ComeUp();
  location_ = std::make_unique<LocationProcess>(context_, location_host_);
}

void World::StartDispatch(DispatchSeat& seat) {
  seat.host.ComeUp();
  DispatchProcess::Options options = dispatch_options_;
  options.on_lease_lost = [this, &seat] { DrainDispatch(seat); };
  options.record = options_.record;
  seat.process = std::make_unique<DispatchProcess>(
      context_, seat.host, Neighbours{trip_host_, trip_, location_host_, location_}, seat.checker,
      options);
}

template <class Start>
void World::RestartLater(Start start) {
  context_.agenda.After(context_.random.Between(Duration(milliseconds(50)), Duration(seconds(12))),
                        life_, start);
}

void World::CrashTrip() {
  const std::size_t lost = trip_->waiting();
  trip_host_.GoDown();
  trip_.reset();
  context_.faults.Count(Fault::kWriteLost, lost);
  context_.trace.Line("trip crashes, {} rows are lost", lost);
  RestartLater([this] { StartTrip(); });
}

void World::CrashLocation() {
  location_host_.GoDown();
  location_.reset();
  context_.trace.Line("location crashes");
  RestartLater([this] { StartLocation(); });
}

void World::StopDispatch(DispatchSeat& seat) {
  seat.host.GoDown();
  seat.process.reset();
  seat.checker.Restarted();
  RestartLater([this, &seat] { StartDispatch(seat); });
}

void World::CrashDispatch(DispatchSeat& seat) {
  context_.trace.Line("{} crashes", seat.host.name());
  StopDispatch(seat);
}

void World::DrainDispatch(DispatchSeat& seat) {
  context_.trace.Line("{} drains", seat.host.name());
  seat.process->Drain();
  const Time until = context_.agenda.now() + kDrainGrace;
  const auto look = [this, &seat, until](const auto& again) -> void {
    if (seat.process->streams() == 0 || context_.agenda.now() >= until) {
      context_.trace.Line("{} stops with {} streams", seat.host.name(), seat.process->streams());
      seat.process->ReleaseLease();
      return StopDispatch(seat);
    }
    context_.agenda.After(kLookAtDrainEvery, seat.host.life(), [again] { again(again); });
  };
  // Not from within the process.
  context_.agenda.After(Duration(0), seat.host.life(), [look] { look(look); });
}

void World::PauseDispatch(DispatchSeat& seat) {
  const Duration time = context_.random.Between(Duration(milliseconds(500)), Duration(seconds(30)));
  context_.trace.Line("{} pauses for {} ms", seat.host.name(), time.count() / 1'000);
  seat.host.PauseUntil(context_.agenda.now() + time);
}

void World::StepLeaseClock() {
  const Duration off = context_.random.Between(Duration(minutes(-10)), Duration(minutes(10)));
  context_.trace.Line("the clock of leases is off by {} ms", off.count() / 1'000);
  disk_.StepLeaseClock(off);
}

const DispatchSeat* World::FindLeader() const {
  const auto leader = std::find_if(seats_.begin(), seats_.end(), [](const auto& seat) {
    return seat->process != nullptr && seat->process->leads();
  });
  return leader == seats_.end() ? nullptr : leader->get();
}

std::size_t World::DriverStreams() const {
  std::size_t streams = 0;
  for (const auto& seat : seats_) {
    if (seat->process != nullptr) streams += seat->process->streams();
  }
  return streams;
}

void World::AddDrivers() {
  const auto count = 2 + context_.random.Below(5);
  for (std::uint64_t i = 1; i <= count; ++i) {
    const DriverId id(fmt::format("d-{}", i));
    const auto seats = static_cast<std::uint32_t>(2 + context_.random.Below(4));
    record_checker_.AddDriver(id, seats);
    drivers_.push_back(std::make_unique<DriverDevice>(
        context_, seats_,
        loadtest::DriverBehaviour::Identity{id, "Driver " + id.str(), seats,
                                            SomewhereInTown(context_.random)},
        driver_habits_, cruises_, loadtest::Random(options_.seed, 1'000 + i)));
  }
}

void World::AddRider() {
  if (context_.faults.calm()) return;
  context_.agenda.After(context_.random.Exponential(kMeanBetweenRiders), life_,
                        [this] { AddRider(); });
  const auto open = std::count_if(riders_.begin(), riders_.end(),
                                  [](const auto& rider) { return !rider->done(); });
  if (static_cast<std::size_t>(open) >= kMaxOpenRiders) return;
  const std::uint64_t number = riders_.size() + 1;
  loadtest::Random& random = context_.random;
  const LatLng other = SomewhereInTown(random);
  const LatLng pickup = SomewhereInTown(random);
  const LatLng dropoff = SomewhereInTown(random);
  const auto party = static_cast<std::uint32_t>(random.Chance(0.6) ? 1 : 1 + random.Below(5));
  riders_.push_back(std::make_unique<RiderDevice>(
      context_, trip_host_, trip_,
      loadtest::RiderBehaviour::Wish{RiderId(fmt::format("r-{}", number)), context_.agenda.now(),
                                     other},
      RiderDevice::Trip{pickup, dropoff, party}, rider_habits_,
      loadtest::Random(options_.seed, 1'000'000 + number)));
}

// What goes wrong.

bool World::Step() {
  if (Violated() || !context_.agenda.RunNext()) return false;
  ++steps_;
  if (context_.faults.TakeMayDelay() || AnybodyIsAway()) {
    context_.may_delay_at = context_.agenda.now();
  }
  return !Violated();
}

bool World::AnybodyIsAway() const {
  return trip_ == nullptr || location_ == nullptr ||
         std::any_of(seats_.begin(), seats_.end(),
                     [](const auto& seat) { return seat->process == nullptr; }) ||
         std::any_of(drivers_.begin(), drivers_.end(), [](const auto& driver) {
           return driver->vanished() || !driver->behaviour().online();
         });
}

void World::Disturb() {
  Faults& faults = context_.faults;
  loadtest::Random& random = context_.random;
  if (location_ != nullptr && faults.Strikes(Fault::kLocationStale)) {
    location_->FallBehind(random.Between(Duration(seconds(2)), Duration(seconds(40))));
  }
  if (location_ != nullptr && faults.Strikes(Fault::kLocationSilent)) {
    location_->FallSilent(random.Between(Duration(seconds(1)), Duration(seconds(15))));
  }
  if (faults.Strikes(Fault::kReconnectStorm)) {
    for (const auto& driver : drivers_) driver->BreakStream();
  }
  DriverDevice& driver = *drivers_[random.Below(drivers_.size())];
  if (!driver.vanished() && faults.Strikes(driver.HasRider() ? Fault::kDriverVanishedWithRider
                                                             : Fault::kDriverVanished)) {
    Vanish(driver);
  }
  if (faults.Threatens(Fault::kCommandWrong) && ErrsAbout(driver)) {
    faults.Count(Fault::kCommandWrong);
  }
  if (trip_ != nullptr && faults.Strikes(Fault::kTripCrashed)) CrashTrip();
  if (location_ != nullptr && faults.Strikes(Fault::kLocationCrashed)) CrashLocation();
  if (faults.Strikes(Fault::kLeaseClockStepped)) StepLeaseClock();
  DispatchSeat& seat = *seats_[random.Below(seats_.size())];
  if (seat.process != nullptr && faults.Strikes(Fault::kDispatchPaused)) PauseDispatch(seat);
  if (seat.process != nullptr && faults.Strikes(Fault::kDispatchCrashed)) CrashDispatch(seat);
  if (seat.process != nullptr && faults.Strikes(Fault::kDispatchDrained)) DrainDispatch(seat);
}

void World::Vanish(DriverDevice& driver) {
  context_.trace.Line("{} vanishes", driver.id());
  driver.Vanish();
  // One in five stays away until nobody waits for anything any more.
  if (context_.random.Chance(0.2)) return;
  context_.agenda.After(context_.random.Between(Duration(seconds(2)), Duration(minutes(3))), life_,
                        [&driver] {
                          if (driver.vanished()) driver.ComeBack();
                        });
}

bool World::ErrsAbout(DriverDevice& driver) {
  loadtest::Random& random = context_.random;
  const auto& trips = record_checker_.trips();
  dispatch::v1::DriveRequest request;
  if (trips.empty() || random.Chance(0.3)) {
    request.mutable_offer_answer()->set_offer_id(
        fmt::format("o-{}-{}", random.Below(20), random.Below(20)));
    return driver.SendInvalid(std::move(request));
  }
  const trip::v1::Trip& trip =
      std::next(trips.begin(), static_cast<std::ptrdiff_t>(random.Below(trips.size())))->second;
  if (trip.driver().driver_id() == driver.id().str()) {
    if (trip.state() != trip::v1::TRIP_STATE_ARRIVED) return false;
    request.mutable_give_up()->set_trip_id(trip.trip_id());
    request.mutable_give_up()->set_reason("nobody came");
    return driver.SendInvalid(std::move(request));
  }
  if (loadtest::IsEnded(trip.state())) {
    request.mutable_stop_update()->set_trip_id(trip.trip_id());
    request.mutable_stop_update()->set_action(
        static_cast<dispatch::v1::StopAction>(random.Below(4)));
  } else {
    request.mutable_give_up()->set_trip_id(trip.trip_id());
  }
  return driver.SendInvalid(std::move(request));
}

// Coming to rest.

template <class Condition>
bool World::RunUntil(Duration within, Condition condition) {
  const Time until = context_.agenda.now() + within;
  while (context_.agenda.now() < until) {
    if (condition()) return true;
    if (!Step()) return false;
  }
  return condition();
}

void World::ReconnectVanished(bool everybody) {
  for (const auto& driver : drivers_) {
    if (!driver->vanished()) continue;
    const bool has_rider = std::any_of(
        record_checker_.trips().begin(), record_checker_.trips().end(), [&](const auto& entry) {
          return entry.second.state() == trip::v1::TRIP_STATE_ABOARD &&
                 entry.second.driver().driver_id() == driver->id().str();
        });
    if (everybody || has_rider) driver->ComeBack();
  }
}

void World::ComeToRest() {
  context_.faults.Calm();
  context_.trace.Line("calm");
  dispatch_options_ = {};
  disk_.StepLeaseClock(Duration(0));
  for (const auto& seat : seats_) {
    if (seat->process != nullptr && seat->process->is_limited()) DrainDispatch(*seat);
  }
  Time look_again = context_.agenda.now();
  const bool ended = RunUntil(kRidersRestWithin, [&] {
    if (context_.agenda.now() >= look_again) {
      // A driver who vanished with a rider comes back at last; nobody waits for others.
      ReconnectVanished(/*everybody=*/false);
      look_again = context_.agenda.now() + seconds(5);
    }
    return std::all_of(riders_.begin(), riders_.end(),
                       [](const auto& rider) { return rider->done(); });
  });
  if (Violated()) return;
  if (!ended) {
    for (const auto& rider : riders_) {
      if (rider->done()) continue;
      context_.Violated(fmt::format(
          "rider {} waits forever, trip {} is {}", rider->behaviour().history().id,
          rider->behaviour().history().trip_id, loadtest::StateName(rider->behaviour().state())));
      return;
    }
  }
  ReconnectVanished(/*everybody=*/true);
  for (const auto& driver : drivers_) driver->Park();
  const auto settled = [&] {
    return std::all_of(drivers_.begin(), drivers_.end(),
                       [](const auto& driver) { return driver->behaviour().settled(); });
  };
  if (!RunUntil(kDriversRestWithin, settled) && !Violated()) {
    context_.Violated("a driver's command is never answered");
    return;
  }
  RunUntil(kStreamsRestWithin, [] { return false; });
  if (!Violated()) CheckAtRest();
}

void World::CheckAtRest() {
  const DispatchSeat* const leader = FindLeader();
  if (leader == nullptr) return context_.Violated("no process has the lease of the market");
  for (const auto& driver : drivers_) {
    if (!driver->behaviour().settled()) {
      context_.Violated(fmt::format("driver {} isn't at rest", driver->id()));
    }
    if (!leader->checker.IsPresent(driver->id())) {
      context_.Violated(
          fmt::format("the market doesn't know that driver {} is there", driver->id()));
    }
    if (leader->checker.OpenOfferOf(driver->id())) {
      context_.Violated(fmt::format("driver {} has an offer that never ends", driver->id()));
    }
  }
  if (DriverStreams() != drivers_.size()) {
    context_.Violated(fmt::format("{} drivers have {} streams", drivers_.size(), DriverStreams()));
  }
  // Neither may be in the middle of an operation.
  const auto nothing_waits = [this] {
    const DispatchSeat* const seat = FindLeader();
    return seat != nullptr && seat->process->events_waiting() == 0 && trip_->waiting() == 0;
  };
  if (!RunUntil(kDrainGrace, nothing_waits) && !Violated()) {
    context_.Violated("something waits in a queue and nobody takes it");
  }
  if (!Violated()) Audit();
}

void World::Audit() {
  loadtest::Auditor auditor;
  for (const auto& rider : riders_) auditor.AddRider(rider->behaviour().history());
  for (const auto& driver : drivers_) auditor.AddDriver(driver->behaviour().history());
  for (const auto& event : record_checker_.log()) auditor.AddEvent(event);
  std::uint64_t before = 0;
  do {
    const auto page = disk_.store().ListTrips({}, before, 50);
    for (const auto& trip : page->trips) auditor.AddListed(trip);
    before = page->next_before;
  } while (before != 0);
  for (const auto& violation : auditor.Judge(loadtest::Auditor::Extent::kPart).first()) {
    context_.Violated(violation.text);
  }
}

RunResult World::Run() {
  while (steps_ < options_.steps && Step()) Disturb();
  RunResult result;
  result.steps_with_faults = steps_;
  if (!Violated()) ComeToRest();
  result.seed = options_.seed;
  result.steps = steps_;
  result.faults = context_.faults.counts();
  for (const auto& seat : seats_) {
    for (const auto& [what, count] : seat->checker.seen()) {
      result.seen[what] += static_cast<std::uint64_t>(count);
    }
  }
  for (const auto& [what, count] : record_checker_.seen()) result.seen[what] = count;
  result.seen.insert(context_.seen.begin(), context_.seen.end());
  for (const auto& [id, trip] : record_checker_.trips()) {
    ++result.seen["trip " + loadtest::StateName(trip.state())];
  }
  for (const auto& driver : drivers_) result.seen["push"] += driver->behaviour().history().pushes;
  result.trace_hash = context_.trace.hash();
  for (const auto& seat : seats_) {
    if (!seat->checker.violations().empty()) {
      context_.Violated(seat->checker.violations().front());
    }
  }
  if (!context_.violations.empty()) result.violation = context_.violations.front();
  return result;
}

}  // namespace ridestream::sim
