#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::dispatch {

/// Passenger seats of a car.
inline constexpr std::uint32_t kMaxSeats = 8;

/// Validates the messages of a driver's stream, field by field. Invalid values are neither queued
/// nor returned nor logged. Errors are INVALID_ARGUMENT and name the field, in a text of bounded
/// length that doesn't repeat the value. Thread-safe.

absl::Status ValidateHello(const v1::Hello& hello);

/// Validates a command of an open session: an answer to an offer, a step at a stop, a trip given
/// up. OK for all other messages.
absl::Status ValidateCommand(const v1::DriveRequest& request);

}  // namespace ridestream::dispatch
