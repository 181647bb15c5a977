#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ridestream/location/v1/location.pb.h"

namespace ridestream::dispatch {

/// The seam to the location service, of which one market asks who is near. Thread-safe.
class LocationPort {
 public:
  using Done = std::function<void(absl::StatusOr<location::v1::FindNearestResponse>)>;

  /// Afterwards no `done` is called any more: calls under way are waited for, or dropped.
  virtual ~LocationPort() = default;
  /// Calls `done` once, never from within. `request_ids` are those of requests from outside on
  /// whose behalf it is asked.
  virtual void FindNearest(location::v1::FindNearestRequest request,
                           const std::vector<std::string>& request_ids, Done done) = 0;
};

}  // namespace ridestream::dispatch
