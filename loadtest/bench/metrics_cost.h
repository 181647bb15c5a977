#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/geo.h"

namespace ridestream::loadtest {

/// What metrics and logs cost the stream's rate: puts `metrics.…` into `figures`. `self` is the
/// benchmark's binary, `bin` the folder of the services.
absl::Status MeasureMetrics(const std::string& self, const std::string& bin,
                            const std::vector<LatLng>& places, nlohmann::json& figures);

}  // namespace ridestream::loadtest
