#include "services/dispatch/domain/promises/promises.h"

#include <algorithm>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/plan/eta.h"

namespace ridestream::dispatch {
namespace {

Timer PromiseTimer(const TripId& trip) { return {TimerKind::kPromiseDue, trip.str()}; }

}  // namespace

bool Promises::Break(const TripId& trip) {
  const bool is_new = late_.insert(trip).second;
  if (is_new) ++broken_;
  return is_new;
}

void Promises::ReportToRiders(const Car& car, Step& step) {
  for (const TripId& trip : car.plan.LateTrips(car.position, step.now())) Break(trip);
  for (const TripId& trip : car.plan.Trips()) step.Decide(MakeReport(car, trip, step.now()));
}

ReportProgress Promises::MakeReport(const Car& car, const TripId& trip, Time now) {
  ReportProgress report;
  report.progress.set_trip_id(trip.str());
  trip::v1::Progress& progress = *report.progress.mutable_progress();
  if (car.position) *progress.mutable_driver_position() = ToProto(*car.position);
  const Duration left = car.plan.TimeTo(trip, car.position);
  const Time arrives_at = etas_.Update(trip, car.plan.StateOf(trip), now + left);
  *progress.mutable_arrives_at() = ToProto(arrives_at);
  // 0 only on arrival.
  progress.set_eta_s(
      left <= Duration::zero() ? 0 : std::max<std::uint32_t>(1, EtaSeconds(arrives_at - now)));
  progress.set_driver_status(car.suspect ? trip::v1::DRIVER_STATUS_SUSPECT
                                         : trip::v1::DRIVER_STATUS_CONNECTED);
  progress.set_promise_broken(late_.contains(trip));
  return report;
}

void Promises::Watch(const Car& car, const TripId& trip, Step& step) {
  const Time due = car.plan.NextPromise(trip);
  if (due == Time::max()) {
    timers_.Cancel(PromiseTimer(trip));
  } else if (due < step.now()) {
    Due(car, trip, step);
  } else {
    timers_.Set(PromiseTimer(trip), due + Duration(1));  // On time is not too late.
  }
}

void Promises::Due(const Car& car, const TripId& trip, Step& step) {
  Break(trip);
  ReportToRiders(car, step);
  timers_.Set(PromiseTimer(trip), step.now() + kTellLateEvery);
}

bool Promises::HoldToRecord(const trip::v1::Trip& trip) {
  if (!trip.has_promise()) return false;
  const bool picked_up_late =
      trip.has_arrived_at() &&
      FromProto(trip.arrived_at()) > FromProto(trip.promise().latest_pickup_at());
  const bool dropped_off_late =
      trip.state() == trip::v1::TRIP_STATE_COMPLETED &&
      FromProto(trip.ended_at()) > FromProto(trip.promise().latest_dropoff_at());
  return (picked_up_late || dropped_off_late) && Break(TripId(trip.trip_id()));
}

void Promises::Unwatch(const TripId& trip) {
  timers_.Cancel(PromiseTimer(trip));
  etas_.Forget(trip);
}

}  // namespace ridestream::dispatch
