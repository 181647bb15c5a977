#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

inline constexpr std::chrono::milliseconds kLongestTerm = std::chrono::hours(24);
inline constexpr std::uint32_t kMaxDetourPercent = 1'000;

/// What riders who share are promised. A longer way takes them by others' doors, but not by too
/// many.
struct SharingTerms {
  /// From the request to the driver's arrival.
  std::chrono::milliseconds pickup_within = std::chrono::minutes(8);
  /// How much longer than the direct way the ride may take: so much of it, in percent, and at least
  /// so long.
  std::uint32_t detour_percent = 50;
  std::chrono::milliseconds min_detour = std::chrono::minutes(4);
};

/// INVALID_ARGUMENT names the term that is negative, or beyond kLongestTerm or kMaxDetourPercent.
absl::Status ValidateTerms(const SharingTerms& terms);

/// The promise for a ride whose direct way takes `direct`: without its times, which the request
/// sets.
v1::Promise MakePromise(const SharingTerms& terms, std::chrono::milliseconds direct);

void SetPromisedTimes(Time requested_at, v1::Promise& promise);

}  // namespace ridestream::trip
