#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

namespace ridestream::bench {

/// Compares `calls` open calls on one connection with one connection for each call, in plaintext
/// and with mutual TLS: the time until all are open, the server's memory per call, its CPU time for
/// opening them, and round trips (`http2.plaintext|tls.one|many.…`, and ratios in `many_to_one`).
absl::Status MeasureMultiplexing(int calls, nlohmann::json& figures);

}  // namespace ridestream::bench
