#pragma once

#include <string>

#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// "REQUESTED"; for messages to people.
std::string StateName(v1::TripState state);

/// Whether the trip goes on: REQUESTED, ASSIGNED, ARRIVED or ABOARD.
bool IsOpen(v1::TripState state);

}  // namespace ridestream::trip
