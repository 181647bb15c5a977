#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"

namespace ridestream {

/// Asks the gRPC health service (grpc.health.v1) at `address` (host:port) for the server as a
/// whole. OK when it is serving; UNAVAILABLE when it says that it is not; else the call's own
/// error, e.g. UNAVAILABLE when nobody listens, DEADLINE_EXCEEDED when no answer came within
/// `timeout`. `credentials`: null for plaintext.
absl::Status CheckHealth(const std::string& address, std::chrono::milliseconds timeout,
                         std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr);

}  // namespace ridestream
