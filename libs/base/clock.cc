#include "libs/base/clock.h"

namespace ridestream {

ScaledClock::ScaledClock(double rate)
    : rate_(rate),
      wall_at_start_(std::chrono::system_clock::now()),
      steady_at_start_(std::chrono::steady_clock::now()) {}

Time ScaledClock::Now() const {
  const auto wall =
      wall_at_start_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(
                           std::chrono::steady_clock::now() - steady_at_start_);
  const std::chrono::duration<double, std::micro> since_anchor = wall - kAnchor;
  return kAnchor + Duration(static_cast<Duration::rep>(since_anchor.count() * rate_));
}

std::chrono::nanoseconds ScaledClock::ToWall(Duration d) const {
  return std::chrono::nanoseconds(
      static_cast<std::chrono::nanoseconds::rep>(static_cast<double>(d.count()) * 1000.0 / rate_));
}

}  // namespace ridestream
