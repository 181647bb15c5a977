#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"

namespace ridestream::bench {

/// So many drivers, each with a connection of its own, lose it at the same moment: how long until
/// all have resumed their sessions (`….storm_s`), and what CPU time that takes in the drivers'
/// process and in dispatch (`….storm_drivers_cpu_s`, `….storm_dispatch_cpu_s`). With TLS each comes
/// back with a full handshake and its token; beside it the same without. `bin` is the folder of the
/// services.
absl::Status MeasureStorm(const std::string& bin, int drivers, nlohmann::json& figures);

}  // namespace ridestream::bench
