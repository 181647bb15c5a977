#pragma once

#include "absl/status/status.h"

namespace ridestream::rpc {

/// Trailing metadata of a command that was refused because the caller's term of a market's lease is
/// over; its value is "true". It distinguishes this refusal from others with the same code.
inline constexpr char kStaleTermKey[] = "ridestream-stale-term";

/// Adds that mark.
absl::Status MarkStaleTerm(absl::Status status);
bool IsStaleTerm(const absl::Status& status);

}  // namespace ridestream::rpc
