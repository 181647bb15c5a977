#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/trip/domain/commands.h"

namespace ridestream::trip {

/// Number of riders (not trips) that a driver has besides the trip in question.
struct DriverLoad {
  std::uint32_t open_riders = 0;     ///< In all open trips of the driver.
  std::uint32_t aboard_riders = 0;   ///< Of these, in the car.
  std::uint32_t sharing_riders = 0;  ///< Of the open ones, those who share.
};

/// kNone: the command had been carried out before, or has no effect. The trip is unchanged.
enum class Effect { kNone, kChanged };

// The state machine: one function a command, `now` the time of the change. Each edits the trip only
// when it returns kChanged. An error says which state the trip is in; codes are those of the proto.

absl::StatusOr<Effect> Apply(const CancelCommand& command, Time now, v1::Trip& trip);
absl::StatusOr<Effect> Apply(const ChangeDestinationCommand& command, Time now, v1::Trip& trip);
absl::StatusOr<Effect> Apply(const AssignCommand& command, const DriverLoad& load, Time now,
                             v1::Trip& trip);
/// `seats`: seats of the car of the trip's driver.
absl::StatusOr<Effect> Apply(const AdvanceCommand& command, const DriverLoad& load,
                             std::uint32_t seats, Time now, v1::Trip& trip);
absl::StatusOr<Effect> Apply(const ReleaseCommand& command, Time now, v1::Trip& trip);
absl::StatusOr<Effect> Apply(const GiveUpCommand& command, Time now, v1::Trip& trip);
absl::StatusOr<Effect> Apply(const DriverLostCommand& command, Time now, v1::Trip& trip);

/// PERMISSION_DENIED if the caller is bound to a market, that is, `caller_market` isn't empty, and
/// the trip or the quote belongs to another market.
absl::Status CheckCallerMarket(const MarketId& caller_market, const v1::Trip& trip);

/// Returns the trip of a quote, in the state REQUESTED. FAILED_PRECONDITION if the quote has
/// expired.
absl::StatusOr<v1::Trip> BeginTrip(const RequestCommand& command, Quote quote, Time now);

}  // namespace ridestream::trip
