#pragma once

#include <cstdint>

namespace ridestream::rpc {

/// Redirects gRPC's own messages to our log (event "grpc"). They are bounded and quoted, because
/// they repeat what peers send, and limited to ten a second with bursts of a hundred.
/// GRPC_VERBOSITY still sets the level, by default errors. Thread-safe and idempotent.
void LogGrpcMessages();

/// Number of gRPC's messages that were dropped by the rate limit. Thread-safe.
std::uint64_t DroppedGrpcMessages();

}  // namespace ridestream::rpc
