#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/dispatch/runner/call_options.h"

namespace ridestream::dispatch {

/// The port to the location service, which one market queries for nearby drivers. Thread-safe.
class LocationPort {
 public:
  using Done = std::function<void(absl::StatusOr<location::v1::FindNearestResponse>)>;

  /// No `done` is called after this returns: calls in progress are waited for, or dropped.
  virtual ~LocationPort() = default;
  /// Calls `done` once, never before returning.
  virtual void FindNearest(location::v1::FindNearestRequest request, const CallOptions& options,
                           Done done) = 0;
};

}  // namespace ridestream::dispatch
