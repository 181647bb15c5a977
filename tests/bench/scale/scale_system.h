#pragma once

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/scale/measured.h"

namespace ridestream::bench {

struct ScaleOptions {
  std::string bin;  ///< Folder of the binaries.
  /// Folder of the gRPC that all processes load. Empty: the one that they find.
  std::string grpc_folder;
  int drivers = 0;
  int markets = 0;
  std::chrono::seconds length{30};
  /// Longest time until all drivers have sessions. Those who have none by then go on trying.
  std::chrono::seconds connect_within{60};
  double requests_per_driver_hour = 4;
  bool insecure = false;
};

/// Runs trip, location, a dispatch and a load generator for each market, with drivers who report
/// every 4 s, and measures them for `length` once every market has made an offer or a minute has
/// passed. Takes at most `connect_within`, `length` and five minutes. CANCELLED when a stop signal
/// comes. UNAVAILABLE when a process can't start or ends too early, with the end of its log.
absl::StatusOr<Measured> MeasureScale(const ScaleOptions& options);

}  // namespace ridestream::bench
