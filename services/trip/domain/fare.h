#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// What a ride may cost at most per kilometre, per minute and as a base, in minor units: far beyond
/// any real tariff, and small enough that no fare overflows.
inline constexpr std::int64_t kMaxRateMinor = 1'000'000'000;
/// How long a driver must wait at most before a rider counts as a no-show who owes a fee.
inline constexpr Duration kMaxNoShowWait = std::chrono::hours(1);

/// INVALID_ARGUMENT names the field: a currency that isn't three capital letters, a rate that is
/// negative or beyond kMaxRateMinor, a discount of more than everything, a surge out of bounds, a
/// wait for a no-show that is negative or beyond kMaxNoShowWait.
absl::Status ValidateTariff(const v1::Tariff& tariff);

/// The fare by a valid tariff; each part is rounded half up to a minor unit. `duration` must not be
/// negative. `shared`: with the discount for riders who share.
v1::Fare MakeFare(const v1::Tariff& tariff, std::uint32_t length_m,
                  std::chrono::milliseconds duration, bool shared = false);

/// What a rider owes who didn't come to the pick-up while the driver waited there for so long: 0
/// before the tariff's no_show_after.
common::v1::Money NoShowFee(const v1::Tariff& tariff, Duration waited);

}  // namespace ridestream::trip
