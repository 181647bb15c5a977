#pragma once

#include <chrono>
#include <cstdint>

#include "libs/base/clock.h"

namespace ridestream::dispatch {

/// Index of a place in a TravelTimes.
using PlaceIndex = std::uint32_t;

/// Travel times between places, exact or estimated.
class TravelTimes {
 public:
  /// No route exists. Small enough to be added to any time without overflow.
  static constexpr Duration kNoWay = std::chrono::hours(24 * 365 * 1'000);

  virtual ~TravelTimes() = default;
  virtual Duration Between(PlaceIndex from, PlaceIndex to) = 0;
};

}  // namespace ridestream::dispatch
