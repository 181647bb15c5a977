#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace ridestream::dispatch {

/// About a unary call to another service.
struct CallOptions {
  /// Wall time; DEADLINE_EXCEEDED afterwards.
  std::chrono::milliseconds timeout;
  /// Requests that a call names at most.
  static constexpr std::size_t kMaxRequestIds = 32;

  /// The ids of requests from outside on whose behalf it is made.
  std::vector<std::string> request_ids = {};
  /// The span that the call's is a child of, as the header `traceparent`. Empty: the call begins a
  /// trace.
  std::string traceparent = {};
};

}  // namespace ridestream::dispatch
