#include "services/dispatch/domain/plan/planned_stops.h"

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

v1::Stop MakeStop(const trip::v1::Trip& trip, v1::StopKind kind) {
  v1::Stop stop;
  stop.set_kind(kind);
  stop.set_trip_id(trip.trip_id());
  *stop.mutable_place() = kind == v1::STOP_KIND_PICK_UP ? trip.pickup() : trip.dropoff();
  *stop.mutable_passenger() = trip.passenger();
  stop.set_arrived(kind == v1::STOP_KIND_PICK_UP && trip.state() == trip::v1::TRIP_STATE_ARRIVED);
  return stop;
}

}  // namespace

bool PlannedStop::IsOf(const TripId& trip) const { return stop.trip_id() == trip.str(); }

PlanChange PlannedStops::Apply(const trip::v1::Trip& trip, const Placement* placement) {
  const TripId id(trip.trip_id());
  const bool aboard = trip.state() == trip::v1::TRIP_STATE_ABOARD;
  auto drop_off = FindStop(id, v1::STOP_KIND_DROP_OFF);
  if (drop_off == stops_.end()) {
    AddStops(trip, placement);
    ++revision_;
    return {v1::PLAN_CAUSE_RIDER_ADDED, RouteChange::kNew};
  }

  PlanChange change;
  if (FromProto(drop_off->stop.place()) != FromProto(trip.dropoff())) {
    *drop_off->stop.mutable_place() = trip.dropoff();
    ++revision_;
    change = {v1::PLAN_CAUSE_DESTINATION_CHANGED, RouteChange::kNew};
  }
  const auto pick_up = FindStop(id, v1::STOP_KIND_PICK_UP);
  if (pick_up != stops_.end() && aboard) {
    const bool leading = pick_up == stops_.begin();
    stops_.erase(pick_up);
    ++revision_;
    if (change.route != RouteChange::kNew) {
      change = {v1::PLAN_CAUSE_STOP_DONE, leading ? RouteChange::kShortened : RouteChange::kNew};
    }
  } else if (pick_up != stops_.end() && trip.state() == trip::v1::TRIP_STATE_ARRIVED &&
             !pick_up->stop.arrived()) {
    pick_up->stop.set_arrived(true);
    ++revision_;
    if (change.route != RouteChange::kNew) change.cause = v1::PLAN_CAUSE_STOP_DONE;
  }
  return change;
}

void PlannedStops::AddStops(const trip::v1::Trip& trip, const Placement* placement) {
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

PlannedStops::Stops::iterator PlannedStops::Behind(const std::vector<Placement::StopKey>& keys) {
  auto behind = stops_.begin();
  for (const Placement::StopKey& key : keys) {
    const auto stop = FindStop(key.trip, key.kind);
    if (stop != stops_.end()) behind = std::max(behind, stop + 1);
  }
  return behind;
}

bool PlannedStops::KeepToSeats(std::uint32_t seats) {
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
  ++revision_;
  return true;
}

PlannedStops::Stops::iterator PlannedStops::NextWithin(Stops& stops, std::uint32_t aboard,
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
  // A party larger than the car: no order of stops helps.
  return next == stops.end() ? stops.begin() : next;
}

PlanChange PlannedStops::Remove(const TripId& trip, v1::PlanCause cause) {
  const auto is_of_trip = [&](const PlannedStop& planned) { return planned.IsOf(trip); };
  const auto first_other = std::find_if_not(stops_.begin(), stops_.end(), is_of_trip);
  const bool leading = std::none_of(first_other, stops_.end(), is_of_trip);
  if (std::erase_if(stops_, is_of_trip) == 0) return {};
  const PlanChange change{cause, leading ? RouteChange::kShortened : RouteChange::kNew};
  ++revision_;
  return change;
}

bool PlannedStops::Has(const TripId& trip) const {
  return std::any_of(stops_.begin(), stops_.end(),
                     [&](const PlannedStop& planned) { return planned.IsOf(trip); });
}

bool PlannedStops::IsAboard(const TripId& trip) const {
  const auto first = std::find_if(stops_.begin(), stops_.end(),
                                  [&](const PlannedStop& planned) { return planned.IsOf(trip); });
  return first != stops_.end() && first->stop.kind() == v1::STOP_KIND_DROP_OFF;
}

trip::v1::TripState PlannedStops::StateOf(const TripId& trip) const {
  for (const PlannedStop& planned : stops_) {
    if (!planned.IsOf(trip) || planned.stop.kind() != v1::STOP_KIND_PICK_UP) continue;
    return planned.stop.arrived() ? trip::v1::TRIP_STATE_ARRIVED : trip::v1::TRIP_STATE_ASSIGNED;
  }
  return trip::v1::TRIP_STATE_ABOARD;
}

bool PlannedStops::HasAnybodyAboard() const {
  const auto trips = Trips();
  return std::any_of(trips.begin(), trips.end(),
                     [&](const TripId& trip) { return IsAboard(trip); });
}

std::vector<TripId> PlannedStops::Trips() const {
  std::vector<TripId> trips;
  for (const PlannedStop& planned : stops_) {
    if (planned.stop.kind() == v1::STOP_KIND_DROP_OFF) trips.emplace_back(planned.stop.trip_id());
  }
  return trips;
}

std::uint32_t PlannedStops::SeatsTaken() const {
  std::uint32_t seats = 0;
  for (const PlannedStop& planned : stops_) {
    if (planned.stop.kind() == v1::STOP_KIND_DROP_OFF) {
      seats += planned.stop.passenger().party_size();
    }
  }
  return seats;
}

std::vector<LatLng> PlannedStops::Places() const {
  std::vector<LatLng> places;
  for (const PlannedStop& planned : stops_) places.push_back(FromProto(planned.stop.place()));
  return places;
}

Placement PlannedStops::PlacementFor(const Insertion& insertion) const {
  const auto first = [this](std::size_t count) {
    std::vector<Placement::StopKey> keys;
    for (std::size_t i = 0; i < std::min(count, stops_.size()); ++i) {
      keys.push_back({TripId(stops_[i].stop.trip_id()), stops_[i].stop.kind()});
    }
    return keys;
  };
  return {first(insertion.pickup_after), first(insertion.dropoff_after)};
}

std::vector<TripId> PlannedStops::MovableTrips() const {
  std::vector<TripId> movable;
  for (const PlannedStop& planned : stops_) {
    if (planned.stop.kind() == v1::STOP_KIND_PICK_UP && !planned.stop.arrived() &&
        planned.latest != Time::max()) {
      movable.emplace_back(planned.stop.trip_id());
    }
  }
  return movable;
}

Time PlannedStops::NextPromise(const TripId& trip) const {
  for (const PlannedStop& planned : stops_) {
    if (planned.IsOf(trip) && !planned.stop.arrived()) return planned.latest;
  }
  return Time::max();
}

PlannedStops::Stops::iterator PlannedStops::FindStop(const TripId& trip, v1::StopKind kind) {
  return std::find_if(stops_.begin(), stops_.end(), [&](const PlannedStop& planned) {
    return planned.IsOf(trip) && planned.stop.kind() == kind;
  });
}

}  // namespace ridestream::dispatch
