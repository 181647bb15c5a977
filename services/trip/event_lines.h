#pragma once

#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// Writes the log line of a trip's event: trip_requested, trip_assigned …, with the ids of the
/// trip, its rider, its driver and the request.
void LogEvent(const v1::TripEvent& event);

}  // namespace ridestream::trip
