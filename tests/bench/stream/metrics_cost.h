#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/geo.h"

namespace ridestream::bench {

/// What metrics and logs at their defaults cost the flood of positions: puts shares of the rate
/// (`metrics.cost`) and of the CPU time for a position (`metrics.cpu_cost`) into `figures`, medians
/// of rounds, each with the bounds of its 95 % interval (`_low`, `_high`). `bin` is the folder of
/// the services.
absl::Status MeasureMetrics(const std::string& bin, const std::vector<LatLng>& places,
                            nlohmann::json& figures);

}  // namespace ridestream::bench
