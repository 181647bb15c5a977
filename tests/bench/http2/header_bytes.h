#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

namespace ridestream::bench {

/// Header compression: the bytes of the header blocks of the first, the second and the hundredth
/// call on a connection, in both directions, beside the bytes of their fields
/// (`http2.headers.CASE.…`).
absl::Status MeasureHeaderBytes(nlohmann::json& figures);

}  // namespace ridestream::bench
