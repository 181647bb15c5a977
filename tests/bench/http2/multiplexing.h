#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

namespace ridestream::bench {

/// `calls` open calls on one connection, and on a connection each, in plaintext and by mutual TLS:
/// the time until all are open, the server's memory for a call, its CPU time for opening them, and
/// round trips (`http2.plaintext|tls.one|many.…`, and ratios in `many_to_one`).
absl::Status MeasureMultiplexing(int calls, nlohmann::json& figures);

}  // namespace ridestream::bench
