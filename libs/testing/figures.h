#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"

namespace ridestream::testing {

/// Writes a benchmark's figures to a file as nested JSON: {"push.d200_us.p50": 9} becomes {"push":
/// {"d200_us": {"p50": 9}}}. Does nothing if the path is empty. UNAVAILABLE if the file can't be
/// written.
absl::Status WriteFigures(const nlohmann::json& figures, const std::string& path);

}  // namespace ridestream::testing
