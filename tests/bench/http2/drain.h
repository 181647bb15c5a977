#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"

namespace ridestream::bench {

/// Prints every frame of a driver's stream on real services: it connects, reports positions, gets
/// an offer, is pinged by keepalive, and dispatch drains (`http2.drain.…`). `bin`: the folder of
/// the services.
absl::Status TraceDriver(const std::string& bin, nlohmann::json& figures);

/// How long a client takes to notice that its connection carries nothing any more, with the
/// keepalive of connections between services (`http2.keepalive.…`).
absl::Status MeasureKeepalive(nlohmann::json& figures);

}  // namespace ridestream::bench
