#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/geo.h"

namespace ridestream::bench {

/// Measures how much metrics and logs at their defaults cost a flood of positions. Adds shares of
/// the rate (`metrics.cost`) and of the CPU time per position (`metrics.cpu_cost`) to `figures`:
/// medians of rounds, each with the bounds of its 95 % interval (`_low`, `_high`). `bin` is the
/// folder of the services.
absl::Status MeasureMetrics(const std::string& bin, const std::vector<LatLng>& places,
                            nlohmann::json& figures);

}  // namespace ridestream::bench
