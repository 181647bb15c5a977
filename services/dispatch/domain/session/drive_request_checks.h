#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::dispatch {

/// Passenger seats of a car.
inline constexpr std::uint32_t kMaxSeats = 8;

/// What a driver may send on its stream, field by field. Nothing that fails here is queued, pushed
/// back or logged. Each returns INVALID_ARGUMENT that names the field, with a text of bounded
/// length: it never repeats what was sent. Thread-safe.

absl::Status ValidateHello(const v1::Hello& hello);

/// For a message of an open session that is a command: an answer, a step at a stop, a trip given
/// back. OK for all others.
absl::Status ValidateCommand(const v1::DriveRequest& request);

}  // namespace ridestream::dispatch
