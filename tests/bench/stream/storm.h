#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"

namespace ridestream::bench {

/// Measures a reconnect storm: `drivers` drivers, each with its own connection, lose it at the same
/// moment. Records the time until all have resumed their sessions (`….storm_s`), and the CPU time
/// in the drivers' process and in dispatch (`….storm_drivers_cpu_s`, `….storm_dispatch_cpu_s`):
/// with TLS, where each driver makes a full handshake and sends its token, and without. `bin` is
/// the folder of the services.
absl::Status MeasureStorm(const std::string& bin, int drivers, nlohmann::json& figures);

}  // namespace ridestream::bench
