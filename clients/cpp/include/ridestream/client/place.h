#pragma once

#include "ridestream/common/v1/common.pb.h"

namespace ridestream::client {

/// A place from degrees. Calls refuse a place outside -90 to 90 by -180 to 180 degrees.
common::v1::LatLng Place(double lat, double lng);

}  // namespace ridestream::client
