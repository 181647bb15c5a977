#include "libs/peer_clock/clock_offset.h"

#include <cmath>

namespace ridestream {

std::string_view ToString(ClockVerdict verdict) {
  switch (verdict) {
    case ClockVerdict::kAgree:
      return "agree";
    case ClockVerdict::kDiffer:
      return "differ";
    case ClockVerdict::kUnusable:
      return "unusable";
  }
  return "unknown";
}

void ClockOffset::Add(const ClockReading& reading) {
  peer_rate_ = reading.peer_rate;
  const Duration error = (reading.answered_at - reading.asked_at) / 2;
  const Duration ahead = reading.peer_time - (reading.asked_at + error);
  if (std::chrono::abs(ahead - ahead_) > error) ahead_ = ahead;
}

ClockVerdict ClockOffset::verdict() const {
  // Rates come from flags, so they are either equal or clearly different.
  if (!(std::abs(peer_rate_ - rate_) <= rate_ / 1'000)) return ClockVerdict::kUnusable;
  if (std::chrono::abs(ahead_) > kMaxOffset) return ClockVerdict::kUnusable;
  return std::chrono::abs(ahead_) > kTolerance ? ClockVerdict::kDiffer : ClockVerdict::kAgree;
}

}  // namespace ridestream
