#include "services/dispatch/domain/drivers/fleet.h"

#include <algorithm>
#include <utility>

#include "libs/base/invariant.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

Timer LostTimer(const DriverId& driver) { return {TimerKind::kDriverLost, driver.str()}; }

}  // namespace

const Driver* Fleet::Find(const DriverId& id) const {
  const auto it = drivers_.find(id);
  return it == drivers_.end() ? nullptr : &it->second;
}

const Driver* Fleet::HolderOf(const TripId& trip) const {
  const auto holder = driver_of_.find(trip);
  if (holder == driver_of_.end()) return nullptr;
  const Driver* driver = Find(holder->second);
  (void)RIDESTREAM_INVARIANT(driver != nullptr, "a driver with a trip is known");
  return driver;
}

Driver* Fleet::Touch(const DriverId& id) {
  const auto it = drivers_.find(id);
  if (it == drivers_.end()) return nullptr;
  touched_.insert(id);
  return &it->second;
}

Driver& Fleet::FindOrAdd(const DriverId& id) {
  const auto [it, is_new] = drivers_.try_emplace(id);
  if (is_new) {
    it->second.id = id;
    // A driver who ended the shift and returned has a new plan. Results that were found for a
    // revision of the old plan don't apply to it.
    constexpr int kRevisionBits = 32;
    it->second.plan = DriverPlan(++drivers_added_ << kRevisionBits);
  }
  return it->second;
}

void Fleet::Connect(const DriverConnected& event, const v1::Offer* open_offer, Step& step) {
  Driver& driver = FindOrAdd(event.driver);
  if (event.epoch < driver.epoch) return;  // Fenced by a newer stream already.
  touched_.insert(event.driver);
  driver.has_session = true;
  driver.connected = true;
  driver.epoch = event.epoch;
  driver.name = event.hello.name();
  driver.vehicle = event.hello.vehicle();
  driver.seats = event.hello.seats();
  driver.accepts_insertions = event.hello.accepts_insertions();
  driver.reported = {};
  driver.plan.ContinueFrom(event.hello.resume().plan_version());
  const bool reordered = driver.plan.KeepToSeats(driver.seats);

  SendWelcome welcome{event.driver, event.epoch, {}};
  if (open_offer != nullptr) *welcome.snapshot.mutable_offer() = *open_offer;
  // After a resume, older plans without an ack are sent again. An empty plan here shows that they
  // are obsolete.
  if (caught_up() && (event.resumed || !driver.plan.empty())) {
    *welcome.snapshot.mutable_plan() =
        driver.NextPlanMessage(v1::PLAN_CAUSE_RESTORED, true, step.now());
    // The snapshot shows what was done.
    driver.unanswered.clear();
    if (driver.route_request != 0) driver.unpushed = v1::PLAN_CAUSE_REROUTED;
  }
  step.Decide(std::move(welcome));
  if (reordered) plans_.Change(driver, {v1::PLAN_CAUSE_RESTORED, RouteChange::kNew}, step);
  ClearSuspicion(driver, step);
  if (driver.position) plans_.FindMissingRoute(driver, step);
}

void Fleet::Disconnect(const DriverDisconnected& event) {
  Driver* driver = Touch(event.driver);
  if (driver != nullptr && driver->epoch == event.epoch) driver->connected = false;
}

void Fleet::Suspect(const DriverId& id, Step& step) {
  if (Driver* driver = Touch(id)) MarkSuspect(*driver, step);
}

void Fleet::OnHeard(const DriverId& id, Step& step) {
  if (Driver* driver = Touch(id)) ClearSuspicion(*driver, step);
}

void Fleet::DropSession(const DriverId& id, Step& step) {
  Driver* driver = Touch(id);
  if (driver == nullptr) return;
  driver->has_session = false;
  driver->connected = false;
  // The next session continues from the driver's version, which may be smaller.
  driver->epoch = 0;
  driver->unpushed = v1::PLAN_CAUSE_UNSPECIFIED;
  driver->unanswered.clear();
  MarkSuspect(*driver, step);
}

const Driver* Fleet::Lose(const DriverId& id) {
  Driver* driver = Touch(id);
  if (driver != nullptr) driver->lost = true;
  return driver;
}

void Fleet::MarkSuspect(Driver& driver, Step& step) {
  if (driver.suspect) return;
  driver.suspect = true;
  timers_.Set(LostTimer(driver.id), step.now() + lost_after_);
  ReportToRiders(driver, step);
}

void Fleet::ClearSuspicion(Driver& driver, Step& step) {
  if (!driver.suspect) return;
  driver.suspect = driver.lost = false;
  timers_.Cancel(LostTimer(driver.id));
  ReportToRiders(driver, step);
}

void Fleet::Move(const DriverMoved& event, Step& step) {
  const auto it = drivers_.find(event.driver);
  if (it == drivers_.end()) return;
  Driver& driver = it->second;
  driver.position = event.position;
  driver.positioned_at = step.now();
  if (driver.track.size() == kTrackLength) driver.track.pop_front();
  driver.track.push_back(event.position);
  driver.plan.MoveTo(event.position);
  if (auto driven = driver.plan.TimeDrive(step.now())) step.Decide(*std::move(driven));
  plans_.FindMissingRoute(driver, step);
  ReportToRiders(driver, step);
}

void Fleet::PutTrip(const trip::v1::Trip& trip, Step& step) {
  const TripId id(trip.trip_id());
  const DriverId driver_id(trip.driver().driver_id());
  const auto holder = driver_of_.find(id);
  if (holder != driver_of_.end() && holder->second != driver_id) {
    RemoveTrip(trip, v1::PLAN_CAUSE_REASSIGNED, step);
  }
  driver_of_[id] = driver_id;
  touched_.insert(driver_id);
  Driver& driver = FindOrAdd(driver_id);
  const auto placement = placements_.find(id);
  const bool had = driver.plan.Has(id);
  const trip::v1::TripState before = driver.plan.StateOf(id);
  PlanChange change =
      driver.plan.Apply(trip, placement == placements_.end() ? nullptr : &placement->second);
  placements_.erase(id);
  if (had) change.answers = CommandsBetween(before, trip, driver_id);
  // The number of seats is unknown before a session.
  if (caught_up() && driver.has_session && driver.plan.KeepToSeats(driver.seats)) {
    change.route = RouteChange::kNew;
  }
  plans_.Change(driver, change, step);
  if (!caught_up()) return;
  promises_.Watch(driver.AsCar(), id, step);
  if (!driver.has_session) MarkSuspect(driver, step);
  if (driver.suspect && change.cause == v1::PLAN_CAUSE_RIDER_ADDED &&
      !timers_.IsSet(LostTimer(driver_id))) {
    timers_.Set(LostTimer(driver_id), step.now() + lost_after_);
  }
}

void Fleet::RemoveTrip(const trip::v1::Trip& trip, v1::PlanCause cause, Step& step) {
  const TripId id(trip.trip_id());
  Driver* driver = Unassign(id);
  if (driver == nullptr) return;
  const trip::v1::TripState before = driver->plan.StateOf(id);
  PlanChange change = driver->plan.Remove(id, cause);
  change.answers = CommandsBetween(before, trip, driver->id);
  plans_.Change(*driver, change, step);
}

void Fleet::Disown(const TripId& trip, Step& step) {
  Driver* driver = Unassign(trip);
  if (driver == nullptr) return;
  plans_.Change(*driver, driver->plan.Remove(trip, v1::PLAN_CAUSE_REASSIGNED), step);
}

Driver* Fleet::Unassign(const TripId& trip) {
  const auto holder = driver_of_.find(trip);
  if (holder == driver_of_.end()) return nullptr;
  Driver* driver = Touch(holder->second);
  driver_of_.erase(holder);
  promises_.Unwatch(trip);
  (void)RIDESTREAM_INVARIANT(driver != nullptr, "a driver with a trip is known");
  return driver;
}

void Fleet::HoldToPromise(const trip::v1::Trip& trip, Step& step) {
  if (!caught_up() || !promises_.HoldToRecord(trip)) return;
  if (const Driver* driver = HolderOf(TripId(trip.trip_id()))) ReportToRiders(*driver, step);
}

void Fleet::OnRouteFound(RouteFound event, Step& step) {
  const auto it = drivers_.find(event.driver);
  if (it != drivers_.end()) plans_.OnRouteFound(it->second, std::move(event), step);
}

void Fleet::RouteUnanswered(const DriverId& id, Step& step) {
  const auto it = drivers_.find(id);
  if (it != drivers_.end()) plans_.RouteUnanswered(it->second, step);
}

void Fleet::RepeatPlan(const DriverId& id, v1::PlanCause cause, v1::AnsweredCommand answer,
                       Step& step) {
  if (Driver* driver = Touch(id)) plans_.Repeat(*driver, cause, std::move(answer), step);
}

void Fleet::PromiseDue(const TripId& trip, Step& step) {
  if (const Driver* driver = HolderOf(trip)) promises_.Due(driver->AsCar(), trip, step);
}

bool Fleet::AnyFree() const {
  return std::any_of(drivers_.begin(), drivers_.end(),
                     [](const auto& entry) { return entry.second.IsFree(1); });
}

std::vector<SharedCar> Fleet::SharedCars(Time now) const {
  std::vector<SharedCar> cars;
  for (const auto& [id, driver] : drivers_) {
    if (!driver.accepts_insertions || !driver.connected || driver.suspect || driver.offered ||
        driver.inserting || driver.route_request != 0 || !driver.position) {
      continue;
    }
    auto car = driver.plan.AsSharedCar(driver.DrivenUnheard(sharing_.round_heard_within, now),
                                       driver.seats, sharing_.dwell, sharing_.margin, now);
    if (!car) continue;
    car->driver = id;
    cars.push_back(*std::move(car));
  }
  return cars;
}

void Fleet::BeginInsertion(const TripId& trip, const InsertionFound& found) {
  const auto it = drivers_.find(found.driver);
  if (!RIDESTREAM_INVARIANT(it != drivers_.end(), "a driver found for a trip is known")) return;
  it->second.inserting = true;
  placements_[trip] = it->second.plan.PlacementFor(found.insertion);
}

void Fleet::EndInsertion(const TripId& trip, const DriverId& id, bool assigned) {
  if (!assigned) placements_.erase(trip);
  if (Driver* driver = Touch(id)) driver->inserting = false;
}

void Fleet::BeginOffer(const Candidate& candidate, Time now) {
  Driver* driver = Touch(candidate.driver);
  if (!RIDESTREAM_INVARIANT(driver != nullptr, "a driver found for a trip is known")) return;
  driver->offered = true;
  driver->position = candidate.position;
  driver->positioned_at = now;
}

bool Fleet::EndOffer(const DriverId& id) {
  Driver* driver = Touch(id);
  if (driver != nullptr) driver->offered = false;
  return driver != nullptr;
}

void Fleet::PushRejected(const DriverId& id, v1::Rejected rejected, Step& step) const {
  v1::DriveResponse message;
  *message.mutable_rejected() = std::move(rejected);
  PushTo(id, std::move(message), step);
}

void Fleet::PushTo(const DriverId& id, v1::DriveResponse message, Step& step) const {
  if (const Driver* driver = Find(id)) PushTo(*driver, std::move(message), step);
}

void Fleet::PushTo(const Driver& driver, v1::DriveResponse message, Step& step) const {
  if (driver.has_session) step.Decide(Push{driver.id, std::move(message)});
}

void Fleet::CatchUp(Step& step) {
  if (caught_up()) return;
  plans_.CatchUp();
  for (auto& [id, driver] : drivers_) {
    if (driver.plan.empty()) {
      plans_.PushUnanswered(driver, step);
      continue;
    }
    touched_.insert(id);
    if (!driver.connected) MarkSuspect(driver, step);
    if (driver.has_session) driver.plan.KeepToSeats(driver.seats);
    plans_.FindRoute(driver, v1::PLAN_CAUSE_RESTORED, step);
    for (const TripId& trip : driver.plan.Trips()) promises_.Watch(driver.AsCar(), trip, step);
  }
}

std::vector<DriverId> Fleet::Finish(Step& step) {
  std::vector<DriverId> gone;
  for (const DriverId& id : touched_) {
    const auto it = drivers_.find(id);
    if (it == drivers_.end()) continue;
    Driver& driver = it->second;
    if (driver.has_session) {
      const Availability now = driver.CurrentAvailability();
      if (now == driver.reported) continue;
      driver.reported = now;
      step.Decide(SetAvailability{id, now.state, now.free_seats, now.wants_positions});
    } else if (driver.plan.empty() && !driver.offered && !driver.inserting) {
      if (driver.reported != Availability()) {
        step.Decide(SetAvailability{id, location::v1::DRIVER_STATE_OFFLINE, 0, false});
      }
      timers_.Cancel(LostTimer(id));
      plans_.CancelRouteRequest(driver);
      drivers_.erase(it);
      gone.push_back(id);
    }
  }
  touched_.clear();
  return gone;
}

}  // namespace ridestream::dispatch
