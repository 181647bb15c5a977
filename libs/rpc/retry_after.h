#pragma once

#include <chrono>
#include <optional>

#include "absl/status/status.h"

namespace ridestream::rpc {

/// Trailing metadata: how long a refused client should wait, in milliseconds.
inline constexpr char kRetryAfterKey[] = "retry-after-ms";

/// Adds a pause after which a retry makes sense.
absl::Status WithRetryAfter(absl::Status status, std::chrono::milliseconds pause);

/// Whether WithRetryAfter added a pause.
bool HasRetryAfter(const absl::Status& status);
/// The pause that WithRetryAfter added, if any.
std::optional<std::chrono::milliseconds> RetryAfterOf(const absl::Status& status);

}  // namespace ridestream::rpc
