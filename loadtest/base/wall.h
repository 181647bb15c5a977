#pragma once

#include "libs/base/clock.h"

namespace ridestream::loadtest {

/// Converts `d` of the clock's time to wall time.
inline Duration ToWall(const Clock& clock, Duration d) {
  return std::chrono::duration_cast<Duration>(clock.ToWall(d));
}

/// Converts `wall` to the clock's time.
inline Duration FromWall(const Clock& clock, Duration wall) {
  const auto second =
      std::chrono::duration<double, std::micro>(clock.ToWall(std::chrono::seconds(1)));
  return Duration(
      static_cast<Duration::rep>(static_cast<double>(wall.count()) / second.count() * 1e6));
}

}  // namespace ridestream::loadtest
