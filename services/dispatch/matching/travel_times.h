#pragma once

#include <chrono>
#include <cstdint>

#include "libs/base/clock.h"

namespace ridestream::dispatch {

/// Names a place of a TravelTimes.
using PlaceIndex = std::uint32_t;

/// Travel times between places, as somebody knows them who needn't be exact.
class TravelTimes {
 public:
  /// There is no way; can be added to any time within thousands of years.
  static constexpr Duration kNoWay = std::chrono::hours(24 * 365 * 1'000);

  virtual ~TravelTimes() = default;
  virtual Duration Between(PlaceIndex from, PlaceIndex to) = 0;
};

}  // namespace ridestream::dispatch
