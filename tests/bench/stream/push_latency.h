#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/process/local_services.h"
#include "tests/bench/stream/flood.h"

namespace ridestream::bench {

/// Measures how long a push takes, from dispatch's decision to the driver, with 200 and with 5,000
/// connected drivers who report every 4 s (`push.d…_us`), beside a bare round trip
/// (`push.bare_rtt_us`), in microseconds; and the memory per driver in dispatch beyond that of gRPC
/// (`memory.…`). Each number of drivers is measured for `length`. `self` is the benchmark's binary,
/// `bin` the folder of the services.
absl::Status MeasurePushes(const std::string& self, const std::string& bin,
                           const std::vector<LatLng>& places, std::chrono::seconds length,
                           nlohmann::json& figures);

/// The median of a push to one of 200 drivers, in microseconds, by services with TLS or without.
absl::StatusOr<double> MeasurePush(const std::string& bin, bool insecure,
                                   const std::vector<LatLng>& places, std::chrono::seconds length);

struct PushTimes {
  double p50_us = 0;
  double p99_us = 0;
};
/// Pushes to 200 drivers of services that run already. An error if no offer was pushed.
absl::StatusOr<PushTimes> MeasurePushes(const process::LocalServices& system,
                                        const std::vector<LatLng>& places,
                                        std::chrono::seconds length);

/// As FloodOurs, while riders ask for rides as they do in the measurements of pushes.
Flooded FloodWithRides(const process::LocalServices& system, const std::vector<LatLng>& places,
                       std::chrono::seconds length);

}  // namespace ridestream::bench
