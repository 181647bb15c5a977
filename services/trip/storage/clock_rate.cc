#include "services/trip/storage/clock_rate.h"

#include <fmt/format.h>

namespace ridestream::trip {

std::string FormatClockRate(double rate) { return fmt::format("{:.6g}", rate); }

absl::Status CheckClockRate(std::string_view stored, double rate) {
  const std::string ours = FormatClockRate(rate);
  if (stored == ours) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the times in the database were written with --clock_rate={}, and this process "
                  "has --clock_rate={}: give it the rate of the database, or another database",
                  stored, ours));
}

}  // namespace ridestream::trip
