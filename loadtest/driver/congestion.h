#pragma once

#include <cmath>

#include "libs/base/geo.h"

namespace ridestream::loadtest {

/// How much longer than the map says cars take, as on a busy day: `peak` times in the middle, and
/// outwards less and less, by a bell curve.
struct Congestion {
  double peak = 1;  ///< At least 1, which is none.
  LatLng middle;
  double radius_m = 1'000;  ///< The curve's standard deviation.

  /// What the map's travel times are to be multiplied by at a place; at least 1.
  double SlownessAt(LatLng place) const {
    if (peak == 1) return 1;
    const double distance = FastDistanceM(middle, place) / radius_m;
    return 1 + (peak - 1) * std::exp(-distance * distance / 2);
  }
};

}  // namespace ridestream::loadtest
