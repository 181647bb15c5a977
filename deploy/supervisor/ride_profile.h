#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/process/local_services.h"
#include "libs/rpc/server.h"
#include "libs/tracing/collector/span_collector.h"

namespace ridestream::supervisor {

/// Collects the traces of a load's first rides, to print one of them. Outlives the services, which
/// send their last spans when they stop. Thread-safe.
class RideProfile {
 public:
  /// Listens on a free port of 127.0.0.1.
  static absl::StatusOr<std::unique_ptr<RideProfile>> Start();

  /// Makes the services send their spans here. They sample no trace by themselves, so only the
  /// traces come that the load asks for, and those of slow and failed calls.
  void AddFlags(process::LocalServices::Options& options) const;
  /// The environment that makes the load generator ask for traces.
  std::map<std::string, std::string> LoadEnvironment() const;

  /// The spans of the ride that was completed after the first request, for people. NOT_FOUND if no
  /// traced ride was completed. Call it when the services have stopped.
  absl::StatusOr<std::string> Describe() const;

 private:
  RideProfile() = default;

  tracing::SpanCollector collector_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace ridestream::supervisor
