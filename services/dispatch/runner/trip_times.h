#pragma once

#include "libs/base/clock.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// Shifts all times of a trip's record by this offset, from the trip service's clock to the local
/// one.
void ShiftTimes(Duration by, trip::v1::Trip& trip);

}  // namespace ridestream::dispatch
