#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

namespace ridestream::bench {

/// Round trips of `calls` calls while `percent` of all packets are lost, on one connection and on a
/// connection each, `rounds` times (`http2.loss.one|many.…`). Runs this binary in a network
/// namespace of its own, where nftables drops packets; where that isn't permitted it prints why and
/// measures nothing.
absl::Status MeasureLoss(int rounds, int calls, double percent, nlohmann::json& figures);

/// The part that runs inside the namespace. It changes the rules of the network it runs in.
absl::Status MeasureLossInside(int rounds, int calls, double percent, nlohmann::json& figures);

}  // namespace ridestream::bench
