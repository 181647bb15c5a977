#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/runner/call_options.h"

namespace ridestream::dispatch {

/// The port to the trip service's calls about leases. Thread-safe. Calls `done` once, never before
/// returning.
class LeasePort {
 public:
  template <class Response>
  using Done = std::function<void(absl::StatusOr<Response>)>;

  /// No `done` is called after this returns: calls in progress are waited for, or dropped.
  virtual ~LeasePort() = default;
  virtual void Acquire(trip::v1::AcquireLeaseRequest request, const CallOptions& options,
                       Done<trip::v1::AcquireLeaseResponse> done) = 0;
  virtual void Renew(trip::v1::RenewLeaseRequest request, const CallOptions& options,
                     Done<trip::v1::RenewLeaseResponse> done) = 0;
  virtual void Release(trip::v1::ReleaseLeaseRequest request, const CallOptions& options,
                       Done<trip::v1::ReleaseLeaseResponse> done) = 0;
};

}  // namespace ridestream::dispatch
