#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ridestream::trip {

/// The name in the table `settings` of the rate of the clock by which all times of a store are
/// written: with another rate the same moment has another time.
inline constexpr std::string_view kClockRateSetting = "clock_rate";

/// A rate as the value of the setting, in six digits: Clock::rate() has no more for certain.
std::string FormatClockRate(double rate);

/// FAILED_PRECONDITION if a process whose clock has this rate can't use a store with this value of
/// the setting.
absl::Status CheckClockRate(std::string_view stored, double rate);

}  // namespace ridestream::trip
