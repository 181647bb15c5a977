#pragma once

#include <chrono>
#include <optional>

#include "absl/status/status.h"

namespace ridestream::rpc {

/// Trailing metadata with the time that a refused client should wait, in milliseconds.
inline constexpr char kRetryAfterKey[] = "retry-after-ms";

/// The same status with a pause after which trying again makes sense.
absl::Status WithRetryAfter(absl::Status status, std::chrono::milliseconds pause);

/// Whether WithRetryAfter put a pause on it.
bool HasRetryAfter(const absl::Status& status);
/// The pause that WithRetryAfter put on it, if any.
std::optional<std::chrono::milliseconds> RetryAfterOf(const absl::Status& status);

}  // namespace ridestream::rpc
