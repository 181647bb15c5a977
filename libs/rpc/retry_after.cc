#include "libs/rpc/retry_after.h"

#include <cstdint>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"

namespace ridestream::rpc {

absl::Status WithRetryAfter(absl::Status status, std::chrono::milliseconds pause) {
  status.SetPayload(kRetryAfterKey, absl::Cord(std::to_string(pause.count())));
  return status;
}

bool HasRetryAfter(const absl::Status& status) {
  return status.GetPayload(kRetryAfterKey).has_value();
}

std::optional<std::chrono::milliseconds> RetryAfterOf(const absl::Status& status) {
  const auto pause = status.GetPayload(kRetryAfterKey);
  std::int64_t milliseconds = 0;
  if (!pause || !absl::SimpleAtoi(std::string(*pause), &milliseconds)) return std::nullopt;
  return std::chrono::milliseconds(milliseconds);
}

}  // namespace ridestream::rpc
