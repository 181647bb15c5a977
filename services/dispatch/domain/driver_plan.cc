#include "services/dispatch/domain/driver_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "services/dispatch/domain/proto_values.h"

namespace ridestream::dispatch {
namespace {

/// For ETAs while there is no route: what a car makes in a city as the crow flies, 30 km/h.
constexpr double kGuessedMetresPerSecond = 30 / 3.6;

Duration GuessTravelTime(LatLng from, LatLng to) {
  const double seconds = FastDistanceM(from, to) / kGuessedMetresPerSecond;
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

v1::Stop MakeStop(const trip::v1::Trip& trip, v1::StopKind kind) {
  v1::Stop stop;
  stop.set_kind(kind);
  stop.set_trip_id(trip.trip_id());
  *stop.mutable_place() = kind == v1::STOP_KIND_PICK_UP ? trip.pickup() : trip.dropoff();
  *stop.mutable_passenger() = trip.passenger();
  stop.set_arrived(kind == v1::STOP_KIND_PICK_UP && trip.state() == trip::v1::TRIP_STATE_ARRIVED);
  return stop;
}

bool IsOf(const v1::Stop& stop, const TripId& trip) { return stop.trip_id() == trip.str(); }

}  // namespace

PlanChange DriverPlan::Apply(const trip::v1::Trip& trip) {
  const TripId id(trip.trip_id());
  const bool aboard = trip.state() == trip::v1::TRIP_STATE_ABOARD;
  auto drop_off = FindStop(id, v1::STOP_KIND_DROP_OFF);
  if (drop_off == stops_.end()) {
    if (!aboard) stops_.push_back({MakeStop(trip, v1::STOP_KIND_PICK_UP), {}});
    stops_.push_back({MakeStop(trip, v1::STOP_KIND_DROP_OFF), {}});
    DropRoute();
    return {v1::PLAN_CAUSE_RIDER_ADDED, RouteChange::kNew};
  }

  PlanChange change;
  if (FromProto(drop_off->stop.place()) != FromProto(trip.dropoff())) {
    *drop_off->stop.mutable_place() = trip.dropoff();
    change = {v1::PLAN_CAUSE_DESTINATION_CHANGED, RouteChange::kNew};
  }
  const auto pick_up = FindStop(id, v1::STOP_KIND_PICK_UP);
  if (pick_up != stops_.end() && aboard) {
    const bool leading = pick_up == stops_.begin();
    stops_.erase(pick_up);
    if (change.route != RouteChange::kNew) {
      change = {v1::PLAN_CAUSE_STOP_DONE, leading ? RouteChange::kShortened : RouteChange::kNew};
    }
  } else if (pick_up != stops_.end() && trip.state() == trip::v1::TRIP_STATE_ARRIVED &&
             !pick_up->stop.arrived()) {
    pick_up->stop.set_arrived(true);
    if (change.route != RouteChange::kNew) change.cause = v1::PLAN_CAUSE_STOP_DONE;
  }
  if (change.route == RouteChange::kNew) DropRoute();
  return change;
}

PlanChange DriverPlan::Remove(const TripId& trip, v1::PlanCause cause) {
  const auto is_of_trip = [&](const PlannedStop& planned) { return IsOf(planned.stop, trip); };
  const auto first_other = std::find_if_not(stops_.begin(), stops_.end(), is_of_trip);
  const bool leading = std::none_of(first_other, stops_.end(), is_of_trip);
  if (std::erase_if(stops_, is_of_trip) == 0) return {};
  const PlanChange change{cause, leading ? RouteChange::kShortened : RouteChange::kNew};
  if (change.route == RouteChange::kNew || stops_.empty()) DropRoute();
  return change;
}

bool DriverPlan::Has(const TripId& trip) const {
  return std::any_of(stops_.begin(), stops_.end(),
                     [&](const PlannedStop& planned) { return IsOf(planned.stop, trip); });
}

bool DriverPlan::IsAboard(const TripId& trip) const {
  const auto first = std::find_if(stops_.begin(), stops_.end(), [&](const PlannedStop& planned) {
    return IsOf(planned.stop, trip);
  });
  return first != stops_.end() && first->stop.kind() == v1::STOP_KIND_DROP_OFF;
}

bool DriverPlan::HasAnybodyAboard() const {
  const auto trips = Trips();
  return std::any_of(trips.begin(), trips.end(),
                     [&](const TripId& trip) { return IsAboard(trip); });
}

std::vector<TripId> DriverPlan::Trips() const {
  std::vector<TripId> trips;
  for (const PlannedStop& planned : stops_) {
    if (planned.stop.kind() == v1::STOP_KIND_DROP_OFF) trips.emplace_back(planned.stop.trip_id());
  }
  return trips;
}

std::uint32_t DriverPlan::SeatsTaken() const {
  std::uint32_t seats = 0;
  for (const PlannedStop& planned : stops_) {
    if (planned.stop.kind() == v1::STOP_KIND_DROP_OFF) {
      seats += planned.stop.passenger().party_size();
    }
  }
  return seats;
}

std::vector<LatLng> DriverPlan::Places() const {
  std::vector<LatLng> places;
  for (const PlannedStop& planned : stops_) places.push_back(FromProto(planned.stop.place()));
  return places;
}

void DriverPlan::DropRoute() {
  route_.reset();
  progress_.reset();
  route_id_ = 0;
}

bool DriverPlan::SetRoute(RouteFound::Way way) {
  DropRoute();
  if (way.to_stop.size() != stops_.size()) return false;
  for (std::size_t i = 0; i < stops_.size(); ++i) stops_[i].on_route = way.to_stop[i];
  progress_.emplace(way.route);
  route_ = std::move(way.route);
  return true;
}

void DriverPlan::MoveTo(LatLng car) {
  if (progress_) progress_->MoveTo(car);
}

Duration DriverPlan::TimeTo(const TripId& trip, std::optional<LatLng> car) const {
  const auto etas = Etas(car);
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    if (IsOf(stops_[i].stop, trip)) return etas[i];
  }
  return Duration::zero();
}

void DriverPlan::ContinueFrom(std::uint64_t version) { version_ = std::max(version_, version); }

v1::Plan DriverPlan::Tell(v1::PlanCause cause, bool whole, std::optional<LatLng> car, Time now) {
  v1::Plan plan;
  plan.set_version(++version_);
  plan.set_cause(cause);
  const auto etas = Etas(car);
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    v1::Stop& stop = *plan.add_stops();
    stop = stops_[i].stop;
    stop.set_eta_s(ToSeconds(etas[i]));
  }
  if (route_) {
    if (route_id_ == 0) {
      route_id_ = version_;
      whole = true;
    }
    plan.set_route_id(route_id_);
    if (whole) *plan.mutable_route() = *route_;
  }
  *plan.mutable_decided_at() = ToProto(now);
  return plan;
}

DriverPlan::Stops::iterator DriverPlan::FindStop(const TripId& trip, v1::StopKind kind) {
  return std::find_if(stops_.begin(), stops_.end(), [&](const PlannedStop& planned) {
    return IsOf(planned.stop, trip) && planned.stop.kind() == kind;
  });
}

std::vector<Duration> DriverPlan::Etas(std::optional<LatLng> car) const {
  std::vector<Duration> etas;
  Duration so_far{0};
  std::optional<LatLng> from = car;
  for (const PlannedStop& planned : stops_) {
    const LatLng place = FromProto(planned.stop.place());
    if (progress_) {
      so_far = std::max(Duration::zero(), planned.on_route - progress_->behind());
    } else if (from) {
      so_far += GuessTravelTime(*from, place);
    }
    from = place;
    etas.push_back(planned.stop.arrived() ? Duration::zero() : so_far);
  }
  return etas;
}

}  // namespace ridestream::dispatch
