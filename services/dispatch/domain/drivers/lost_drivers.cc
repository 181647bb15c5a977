#include "services/dispatch/domain/drivers/lost_drivers.h"

#include <string>
#include <utility>

namespace ridestream::dispatch {
namespace {

Timer AwayTimer(const std::string& trip) { return {TimerKind::kDriverStaysAway, trip}; }

}  // namespace

void LostDrivers::Lose(const DriverId& id, Step& step) {
  const Driver* driver = fleet_.Lose(id);
  if (driver == nullptr) return;
  for (const TripId& trip : driver->plan.Trips()) {
    if (driver->plan.IsAboard(trip)) continue;
    trip::v1::ReleaseTripRequest request;
    request.set_trip_id(trip.str());
    request.set_driver_id(id.str());
    request.set_reason(trip::v1::RELEASE_REASON_DRIVER_LOST);
    commands_.Send(std::move(request), {}, step);
  }
  Report(id, step);
}

void LostDrivers::Report(const DriverId& id, Step& step) {
  const Driver* driver = fleet_.Find(id);
  if (driver == nullptr) return;
  for (const TripId& trip : driver->plan.Trips()) {
    if (const OpenTrip* open = trips_.Find(trip)) Report(*open, step);
  }
}

void LostDrivers::Report(const OpenTrip& open, Step& step) {
  const TripId id(open.trip.trip_id());
  const Driver* driver = fleet_.Find(DriverId(open.trip.driver().driver_id()));
  // A pending command is handled when it has been answered.
  if (!fleet_.caught_up() || driver == nullptr ||
      open.trip.state() != trip::v1::TRIP_STATE_ABOARD ||
      commands_.IsPending<trip::v1::ReportDriverLostRequest>(id)) {
    return;
  }
  const bool on_record = open.trip.has_driver_lost_at();
  // After a restart a driver may be neither connected nor lost yet. The record is kept then.
  if (on_record ? !driver->IsHere() : !driver->lost) return;
  trip::v1::ReportDriverLostRequest request;
  request.set_trip_id(id.str());
  request.set_driver_id(driver->id.str());
  request.set_lost(!on_record);
  commands_.Send(std::move(request), {}, step);
}

void LostDrivers::Watch(const trip::v1::Trip& trip, Step& step) {
  const Timer timer = AwayTimer(trip.trip_id());
  if (trip.state() != trip::v1::TRIP_STATE_ABOARD || !trip.has_driver_lost_at()) {
    timers_.Cancel(timer);
  } else if (!timers_.IsSet(timer)) {
    timers_.Set(timer, step.now() + abandon_after_);
  }
}

void LostDrivers::Unwatch(const TripId& trip) { timers_.Cancel(AwayTimer(trip.str())); }

void LostDrivers::StaysAway(const TripId& id, Step& step) {
  const OpenTrip* open = trips_.Find(id);
  if (open == nullptr) return;
  const Driver* driver = fleet_.Find(DriverId(open->trip.driver().driver_id()));
  if (driver != nullptr && driver->IsHere()) return;  // Trip is about to hear of it.
  trip::v1::CancelTripRequest request;
  request.set_request_id(id.str());
  request.set_trip_id(id.str());
  request.set_reason(trip::v1::CANCEL_REASON_DRIVER_LOST);
  commands_.Send(std::move(request), {}, step);
}

}  // namespace ridestream::dispatch
