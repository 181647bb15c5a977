#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/geo.h"

namespace ridestream::bench {

/// Measures the cost of mutual TLS and tokens, alternating between services with and without them:
/// the rate of positions (`tls.rate_ratio`), a push's median (`tls.push_ratio`), new connections
/// per second (`….connections_per_s`) and location's memory per connection (`….connection_kb`).
/// `bin` is the folder of the services.
absl::Status MeasureTls(const std::string& bin, const std::vector<LatLng>& places, int rounds,
                        std::chrono::seconds length, nlohmann::json& figures);

}  // namespace ridestream::bench
