#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

namespace ridestream::bench {

/// Measures flow control: a call whose client doesn't read, and ten others on the same connection.
/// Prints the frames that open and close the windows, and compares the others' round trips before
/// the reader stalls, while it stalls, and while it reads (`http2.slow_reader.…`).
absl::Status MeasureSlowReader(nlohmann::json& figures);

}  // namespace ridestream::bench
