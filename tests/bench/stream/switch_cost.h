#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/geo.h"

namespace ridestream::bench {

// What a switch of the services costs, by services with it beside services without, in one run and
// in turn, so that what else the machine does falls on all alike. Riders ask for rides meanwhile.
// Each puts into `figures` for each setting the medians of positions a second
// (`….positions_per_s`), of the services' CPU time for a position (`….cpu_us_a_position`) and of a
// push's quantiles
// (`….push_us.p50`, `….push_us.p99`), and of each setting but the first the median ratios to the
// first in the same round (`….rate_ratio`, `….cpu_ratio`, `….push_p50_ratio`, `….push_p99_ratio`).
// `bin` is the folder of the services; `length` is that of each measurement.

/// Tracing off, of one trace in a hundred, and of all, to a collector that discards what it gets.
absl::Status MeasureTracing(const std::string& bin, const std::vector<LatLng>& places, int rounds,
                            std::chrono::seconds length, nlohmann::json& figures);

/// Dispatch without a record, and with one (--record).
absl::Status MeasureRecording(const std::string& bin, const std::vector<LatLng>& places, int rounds,
                              std::chrono::seconds length, nlohmann::json& figures);

}  // namespace ridestream::bench
