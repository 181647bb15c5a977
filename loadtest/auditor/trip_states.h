#pragma once

#include <string>

#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::loadtest {

/// COMPLETED, CANCELLED or UNSERVED.
inline bool IsEnded(trip::v1::TripState state) {
  return state == trip::v1::TRIP_STATE_COMPLETED || state == trip::v1::TRIP_STATE_CANCELLED ||
         state == trip::v1::TRIP_STATE_UNSERVED;
}

/// An open trip that has a driver.
inline bool HasDriver(trip::v1::TripState state) {
  return state == trip::v1::TRIP_STATE_ASSIGNED || state == trip::v1::TRIP_STATE_ARRIVED ||
         state == trip::v1::TRIP_STATE_ABOARD;
}

/// "ABOARD"; the number for values that the proto doesn't have.
inline std::string StateName(trip::v1::TripState state) {
  const std::string& name = trip::v1::TripState_Name(state);
  return name.empty() ? std::to_string(static_cast<int>(state))
                      : name.substr(sizeof("TRIP_STATE_") - 1);
}

}  // namespace ridestream::loadtest
