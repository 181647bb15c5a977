#pragma once

#include <string>

namespace ridestream::rpc {

/// The gRPC library that this process has loaded, e.g. "1.51.1, assertions on". With assertions, a
/// completed operation searches a list of all outstanding ones, which bounds how many streams a
/// process can serve (docs/scale.md). Both parts come from the library itself, not from how we were
/// built. Thread-safe.
const std::string& LoadedGrpc();

}  // namespace ridestream::rpc
