#pragma once

#include <chrono>
#include <cstdint>

#include "libs/base/clock.h"

namespace ridestream::dispatch {

/// Rounds up to whole seconds, so that an ETA is 0 only on arrival. 0 if `left` is negative.
inline std::uint32_t EtaSeconds(Duration left) {
  return left <= Duration::zero()
             ? 0
             : static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(left).count());
}

}  // namespace ridestream::dispatch
