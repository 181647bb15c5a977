#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

namespace ridestream::bench {

/// Measures round trips of `calls` calls while `percent` of all packets are lost, on one connection
/// and on one connection for each call, `rounds` times (`http2.loss.one|many.…`). Runs this binary
/// in a network namespace in which nftables drops packets; if that isn't permitted, prints the
/// reason and measures nothing.
absl::Status MeasureLoss(int rounds, int calls, double percent, nlohmann::json& figures);

/// The part that runs inside the namespace. Changes the rules of the network in which it runs.
absl::Status MeasureLossInside(int rounds, int calls, double percent, nlohmann::json& figures);

}  // namespace ridestream::bench
