#include "services/dispatch/domain/trips/trip_book.h"

namespace ridestream::dispatch {

bool IsEnded(trip::v1::TripState state) {
  return state == trip::v1::TRIP_STATE_COMPLETED || state == trip::v1::TRIP_STATE_CANCELLED ||
         state == trip::v1::TRIP_STATE_UNSERVED;
}

bool TripBook::Record(const trip::v1::Trip& trip) {
  const TripId id(trip.trip_id());
  if (ended_.contains(id)) return false;
  const auto known = open_.find(id);
  if (known != open_.end() && trip.version() <= known->second.trip.version()) return false;

  if (!IsEnded(trip.state())) {
    open_[id].trip = trip;
    return true;
  }
  if (known != open_.end()) open_.erase(known);
  if (ended_order_.size() == kEndedRemembered) {
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
  }
  ended_[id] = {trip.state(), DriverId(trip.driver().driver_id()),
                !trip.cancellation().by_driver_id().empty()};
  ended_order_.push_back(id);
  return true;
}

OpenTrip* TripBook::Find(const TripId& id) {
  const auto it = open_.find(id);
  return it == open_.end() ? nullptr : &it->second;
}

const OpenTrip* TripBook::Find(const TripId& id) const {
  const auto it = open_.find(id);
  return it == open_.end() ? nullptr : &it->second;
}

const EndedTrip* TripBook::FindEnded(const TripId& id) const {
  const auto it = ended_.find(id);
  return it == ended_.end() ? nullptr : &it->second;
}

}  // namespace ridestream::dispatch
