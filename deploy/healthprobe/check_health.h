#pragma once

#include <chrono>
#include <string>

#include "absl/status/status.h"

namespace ridestream {

/// Asks the gRPC health service (grpc.health.v1) at `address` (host:port) for the server as a
/// whole. OK when it is serving; UNAVAILABLE when it says that it is not; else the call's own
/// error, e.g. UNAVAILABLE when nobody listens, DEADLINE_EXCEEDED when no answer came within
/// `timeout`.
absl::Status CheckHealth(const std::string& address, std::chrono::milliseconds timeout);

}  // namespace ridestream
