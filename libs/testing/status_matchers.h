#pragma once

#include <ostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace ridestream::testing {

inline const absl::Status& GetStatus(const absl::Status& status) { return status; }
template <class T>
const absl::Status& GetStatus(const absl::StatusOr<T>& result) {
  return result.status();
}

/// Matches an OK Status or StatusOr.
MATCHER(IsOk, "is OK") {
  *result_listener << "which is " << GetStatus(arg).ToString();
  return GetStatus(arg).ok();
}

/// Matches a Status or StatusOr with this code whose message contains this text.
MATCHER_P2(StatusIs, code, message_part, "") {
  *result_listener << "which is " << GetStatus(arg).ToString();
  return GetStatus(arg).code() == code &&
         GetStatus(arg).message().find(message_part) != absl::string_view::npos;
}

}  // namespace ridestream::testing
