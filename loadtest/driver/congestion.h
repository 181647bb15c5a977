#pragma once

#include <cmath>

#include "libs/base/geo.h"

namespace ridestream::loadtest {

/// A factor on the map's travel times: `peak` in the middle, decreasing outwards as a bell curve.
struct Congestion {
  double peak = 1;  ///< At least 1, which is none.
  LatLng middle;
  double radius_m = 1'000;  ///< The curve's standard deviation.

  /// The factor on the map's travel times at a place; at least 1.
  double SlownessAt(LatLng place) const {
    if (peak == 1) return 1;
    const double distance = FastDistanceM(middle, place) / radius_m;
    return 1 + (peak - 1) * std::exp(-distance * distance / 2);
  }
};

}  // namespace ridestream::loadtest
