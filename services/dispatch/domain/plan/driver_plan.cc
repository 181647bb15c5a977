#include "services/dispatch/domain/plan/driver_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/plan/diversion.h"
#include "services/dispatch/domain/plan/eta.h"

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

/// Trips in one plan at most, so that its work is bounded.
constexpr std::size_t kMaxSharedTrips = 6;
/// A stop so near is not put off any more: the car may be turning in.
constexpr Duration kCommitted = std::chrono::seconds(30);

}  // namespace

PlanChange DriverPlan::Apply(const trip::v1::Trip& trip, const Placement* placement) {
  const TripId id(trip.trip_id());
  const bool aboard = trip.state() == trip::v1::TRIP_STATE_ABOARD;
  auto drop_off = FindStop(id, v1::STOP_KIND_DROP_OFF);
  if (drop_off == stops_.end()) {
    AddStops(trip, placement);
    StopsChanged(RouteChange::kNew);
    return {v1::PLAN_CAUSE_RIDER_ADDED, RouteChange::kNew};
  }

  PlanChange change;
  if (FromProto(drop_off->stop.place()) != FromProto(trip.dropoff())) {
    *drop_off->stop.mutable_place() = trip.dropoff();
    StopsChanged(RouteChange::kNew);
    change = {v1::PLAN_CAUSE_DESTINATION_CHANGED, RouteChange::kNew};
  }
  const auto pick_up = FindStop(id, v1::STOP_KIND_PICK_UP);
  if (pick_up != stops_.end() && aboard) {
    const bool leading = pick_up == stops_.begin();
    stops_.erase(pick_up);
    StopsChanged(leading ? RouteChange::kShortened : RouteChange::kNew);
    if (change.route != RouteChange::kNew) {
      change = {v1::PLAN_CAUSE_STOP_DONE, leading ? RouteChange::kShortened : RouteChange::kNew};
    }
  } else if (pick_up != stops_.end() && trip.state() == trip::v1::TRIP_STATE_ARRIVED &&
             !pick_up->stop.arrived()) {
    pick_up->stop.set_arrived(true);
    StopsChanged(RouteChange::kNone);
    if (change.route != RouteChange::kNew) change.cause = v1::PLAN_CAUSE_STOP_DONE;
  }
  return change;
}

void DriverPlan::StopsChanged(RouteChange route) {
  ++revision_;
  drive_timer_.Restart();
  if (route == RouteChange::kNew || stops_.empty()) DropRoute();
  if (stops_.empty()) progress_.reset();  // The car stands still as soon as it hears that.
  if (route_) halts_at_ = stops_.front().on_route;
}

void DriverPlan::AddStops(const trip::v1::Trip& trip, const Placement* placement) {
  PlannedStop in{MakeStop(trip, v1::STOP_KIND_PICK_UP), {}};
  PlannedStop out{MakeStop(trip, v1::STOP_KIND_DROP_OFF), {}};
  const bool shares = trip.has_promise();
  if (shares) {
    in.latest = FromProto(trip.promise().latest_pickup_at());
    out.latest = FromProto(trip.promise().latest_dropoff_at());
  }
  const auto by_promise = [&](Time latest) {
    return shares ? std::find_if(stops_.begin(), stops_.end(),
                                 [&](const PlannedStop& stop) { return stop.latest > latest; })
                  : stops_.end();
  };
  auto dropoff_from = stops_.begin();
  if (trip.state() != trip::v1::TRIP_STATE_ABOARD) {
    const auto at = placement != nullptr ? Behind(placement->before_pickup) : by_promise(in.latest);
    dropoff_from = stops_.insert(at, std::move(in)) + 1;
  }
  const auto at = placement != nullptr ? Behind(placement->before_dropoff) : by_promise(out.latest);
  stops_.insert(std::max(dropoff_from, at), std::move(out));
}

DriverPlan::Stops::iterator DriverPlan::Behind(const std::vector<Placement::StopKey>& keys) {
  auto behind = stops_.begin();
  for (const Placement::StopKey& key : keys) {
    const auto stop = FindStop(key.trip, key.kind);
    if (stop != stops_.end()) behind = std::max(behind, stop + 1);
  }
  return behind;
}

bool DriverPlan::KeepToSeats(std::uint32_t seats) {
  std::uint32_t aboard = 0;
  for (const PlannedStop& planned : stops_) {
    if (IsAboard(TripId(planned.stop.trip_id()))) aboard += planned.stop.passenger().party_size();
  }
  Stops ordered, left = stops_;
  bool changed = false;
  while (!left.empty()) {
    const auto next = NextWithin(left, aboard, seats);
    const std::uint32_t party = next->stop.passenger().party_size();
    aboard = next->stop.kind() == v1::STOP_KIND_PICK_UP ? aboard + party
                                                        : aboard - std::min(aboard, party);
    changed |= next != left.begin();
    ordered.push_back(std::move(*next));
    left.erase(next);
  }
  if (!changed) return false;
  stops_ = std::move(ordered);
  StopsChanged(RouteChange::kNew);
  return true;
}

DriverPlan::Stops::iterator DriverPlan::NextWithin(Stops& stops, std::uint32_t aboard,
                                                   std::uint32_t seats) {
  const auto can_be_next = [&](const PlannedStop& planned) {
    const v1::Stop& stop = planned.stop;
    if (stop.kind() == v1::STOP_KIND_PICK_UP) {
      return aboard + stop.passenger().party_size() <= seats;
    }
    return std::none_of(stops.begin(), stops.end(), [&](const PlannedStop& other) {
      return other.stop.kind() == v1::STOP_KIND_PICK_UP && other.stop.trip_id() == stop.trip_id();
    });
  };
  auto next = std::find_if(stops.begin(), stops.end(), [&](const PlannedStop& planned) {
    return planned.stop.arrived() && can_be_next(planned);
  });
  if (next == stops.end()) next = std::find_if(stops.begin(), stops.end(), can_be_next);
  // A party that is larger than the car: the plan can't help that.
  return next == stops.end() ? stops.begin() : next;
}

PlanChange DriverPlan::Remove(const TripId& trip, v1::PlanCause cause) {
  const auto is_of_trip = [&](const PlannedStop& planned) { return IsOf(planned.stop, trip); };
  const auto first_other = std::find_if_not(stops_.begin(), stops_.end(), is_of_trip);
  const bool leading = std::none_of(first_other, stops_.end(), is_of_trip);
  if (std::erase_if(stops_, is_of_trip) == 0) return {};
  const PlanChange change{cause, leading ? RouteChange::kShortened : RouteChange::kNew};
  StopsChanged(change.route);
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

trip::v1::TripState DriverPlan::StateOf(const TripId& trip) const {
  for (const PlannedStop& planned : stops_) {
    if (!IsOf(planned.stop, trip) || planned.stop.kind() != v1::STOP_KIND_PICK_UP) continue;
    return planned.stop.arrived() ? trip::v1::TRIP_STATE_ARRIVED : trip::v1::TRIP_STATE_ASSIGNED;
  }
  return trip::v1::TRIP_STATE_ABOARD;
}

std::optional<double> DriverPlan::DistanceToStop(const TripId& trip, v1::StopKind kind,
                                                 LatLng car) const {
  const auto planned = std::find_if(stops_.begin(), stops_.end(), [&](const PlannedStop& stop) {
    return IsOf(stop.stop, trip) && stop.stop.kind() == kind;
  });
  if (planned == stops_.end()) return std::nullopt;
  const double to_place = DistanceM(car, FromProto(planned->stop.place()));
  if (!route_ || route_->lat_e7().empty()) return std::max(0.0, to_place - kStopWithinM);
  return std::min(to_place, DistanceM(car, progress_->At(planned->on_route).place));
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

Placement DriverPlan::PlacementFor(const Insertion& insertion) const {
  const auto first = [this](std::size_t count) {
    std::vector<Placement::StopKey> keys;
    for (std::size_t i = 0; i < std::min(count, stops_.size()); ++i) {
      keys.push_back({TripId(stops_[i].stop.trip_id()), stops_[i].stop.kind()});
    }
    return keys;
  };
  return {first(insertion.pickup_after), first(insertion.dropoff_after)};
}

std::optional<SharedCar> DriverPlan::AsSharedCar(Duration ahead, std::uint32_t seats,
                                                 const Dwell& dwell, Duration margin,
                                                 Time now) const {
  const std::vector<TripId> trips = Trips();
  if (stops_.empty() || !route_ || trips.size() >= kMaxSharedTrips) return std::nullopt;
  const std::vector<RouteProgress::Point> way = progress_->PointsAhead(AheadOnWay(ahead));
  if (way.empty()) return std::nullopt;
  SharedCar shared{{}, revision_, way.back().place, Places(), {}, {}};
  shared.car.leaves = now + (way.back().from_start - way.front().from_start);
  shared.car.seats = seats;
  for (const TripId& trip : trips) {
    if (!IsAboard(trip)) continue;
    for (const PlannedStop& stop : stops_) {
      if (IsOf(stop.stop, trip)) shared.car.aboard += stop.stop.passenger().party_size();
    }
  }
  const std::vector<Duration> etas = Etas(std::nullopt);
  Duration stood{};
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    const PlannedStop& planned = stops_[i];
    if (planned.latest == Time::max()) return std::nullopt;  // A rider who doesn't share.
    const bool in = planned.stop.kind() == v1::STOP_KIND_PICK_UP;
    const auto riders = static_cast<std::int32_t>(planned.stop.passenger().party_size());
    CarStop stop{.riders = in ? riders : -riders,
                 .arrival = now + etas[i] + stood,
                 .latest = planned.latest - margin,
                 .dwell = in ? dwell.pickup : dwell.dropoff};
    // The promise holds until the rider is out of the car.
    if (!in) stop.latest -= dwell.dropoff;
    if (planned.stop.arrived()) stop.latest = Time::max();
    stood += stop.dwell;
    shared.car.stops.push_back(stop);
    shared.trips.emplace_back(planned.stop.trip_id());
  }
  const bool committed = stops_.front().stop.arrived() || etas.front() <= kCommitted;
  shared.car.fixed_stops = committed ? 1 : 0;
  return shared;
}

std::vector<TripId> DriverPlan::MovableTrips() const {
  std::vector<TripId> movable;
  for (const PlannedStop& planned : stops_) {
    if (planned.stop.kind() == v1::STOP_KIND_PICK_UP && !planned.stop.arrived() &&
        planned.latest != Time::max()) {
      movable.emplace_back(planned.stop.trip_id());
    }
  }
  return movable;
}

Time DriverPlan::NextPromise(const TripId& trip) const {
  for (const PlannedStop& planned : stops_) {
    if (IsOf(planned.stop, trip) && !planned.stop.arrived()) return planned.latest;
  }
  return Time::max();
}

std::vector<TripId> DriverPlan::LateTrips(std::optional<LatLng> car, Time now) const {
  std::vector<TripId> late;
  const std::vector<Duration> etas = Etas(car);
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    const v1::Stop& stop = stops_[i].stop;
    if (stop.arrived() || now + etas[i] <= stops_[i].latest) continue;
    TripId trip(stop.trip_id());
    if (std::find(late.begin(), late.end(), trip) == late.end()) late.push_back(std::move(trip));
  }
  return late;
}

void DriverPlan::DropRoute() {
  route_.reset();
  drive_timer_.Restart();
  route_id_ = 0;
}

Duration DriverPlan::AheadOnWay(Duration ahead) const {
  return std::clamp(halts_at_ - progress_->behind(), Duration::zero(), ahead);
}

LatLng DriverPlan::BeginRoute(LatLng car, Duration ahead) {
  lead_.clear();
  if (progress_ && !progress_->has_left()) lead_ = progress_->PointsAhead(AheadOnWay(ahead));
  return lead_.empty() ? car : lead_.back().place;
}

bool DriverPlan::SetRoute(RouteFound::Way way) {
  DropRoute();
  if (way.to_stop.size() != stops_.size()) return false;
  Prepend(std::exchange(lead_, {}), way);
  for (std::size_t i = 0; i < stops_.size(); ++i) stops_[i].on_route = way.to_stop[i];
  if (!stops_.empty()) halts_at_ = stops_.front().on_route;
  progress_.emplace(way.route);
  route_ = std::move(way.route);
  return true;
}

void DriverPlan::MoveTo(LatLng car) {
  if (!progress_) return;
  progress_->MoveTo(car, halts_at_);
}

std::optional<StreetsDriven> DriverPlan::TimeDrive(Time now) {
  if (!route_) return std::nullopt;
  if (progress_->has_left()) {
    drive_timer_.Restart();
    return std::nullopt;
  }
  const auto stretch = drive_timer_.Moved(progress_->behind(), now);
  if (!stretch) return std::nullopt;
  const double pace = std::chrono::duration<double>(stretch->took) / (stretch->to - stretch->from);
  StreetsDriven driven;
  for (const auto& point : progress_->PointsBetween(stretch->from, stretch->to)) {
    driven.points.push_back({point.place, std::chrono::round<Duration>(point.from_start * pace)});
  }
  return driven;
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
    stop.set_eta_s(EtaSeconds(etas[i]));
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
    if (route_) {
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
