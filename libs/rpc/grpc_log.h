#pragma once

#include <cstdint>

namespace ridestream::rpc {

/// From now on gRPC's own messages are lines of our log (event "grpc"): bounded and quoted, since
/// they repeat what peers send, and at most ten a second, a hundred at once. Its verbosity remains
/// what GRPC_VERBOSITY says, by default errors. Thread-safe; costs nothing when repeated.
void LogGrpcMessages();

/// Messages of gRPC's that were dropped since there were too many. Thread-safe.
std::uint64_t DroppedGrpcMessages();

}  // namespace ridestream::rpc
