#pragma once

#include "libs/base/clock.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// Moves all times of a trip's record by so much: from trip's clock to ours, where they differ.
void ShiftTimes(Duration by, trip::v1::Trip& trip);

}  // namespace ridestream::dispatch
