#pragma once

#include <fmt/format.h>

#include <string>
#include <type_traits>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ridestream::service {

/// INVALID_ARGUMENT that names the flag, its value and the range, unless low <= value <= high.
template <class T>
absl::Status CheckRange(const absl::Flag<T>& flag, const std::type_identity_t<T>& low,
                        const std::type_identity_t<T>& high) {
  const T value = absl::GetFlag(flag);
  if (low <= value && value <= high) return absl::OkStatus();
  const auto text = [](const T& one) {
    if constexpr (std::is_same_v<T, absl::Duration>) {
      return absl::FormatDuration(one);
    } else {
      return fmt::format("{}", one);
    }
  };
  return absl::InvalidArgumentError(fmt::format(
      "--{}={}: must be in {} to {}", std::string(absl::GetFlagReflectionHandle(flag).Name()),
      text(value), text(low), text(high)));
}

}  // namespace ridestream::service
