#include "libs/base/clock.h"

namespace ridestream {

double Clock::rate() const {
  return 1e9 / static_cast<double>(ToWall(std::chrono::seconds(1)).count());
}

ScaledClock::ScaledClock(double rate, const TimeSource& source) : rate_(rate), wall_(source) {}

Time ScaledClock::Now() const {
  const std::chrono::duration<double, std::micro> since_anchor = wall_.Now() - kAnchor;
  return kAnchor + Duration(static_cast<Duration::rep>(since_anchor.count() * rate_));
}

std::chrono::nanoseconds ScaledClock::ToWall(Duration d) const {
  return std::chrono::nanoseconds(
      static_cast<std::chrono::nanoseconds::rep>(static_cast<double>(d.count()) * 1000.0 / rate_));
}

}  // namespace ridestream
