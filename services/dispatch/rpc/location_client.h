#pragma once

#include "libs/base/mutex.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/dispatch/runner/location_port.h"
#include "services/dispatch/runner/position_forwarder.h"

namespace ridestream::dispatch {

/// Location, over gRPC. Ending it waits for the calls under way. Thread-safe.
class LocationClient final : public LocationPort {
 public:
  /// `stub` must outlive it.
  explicit LocationClient(location::v1::LocationService::StubInterface& stub) : stub_(stub) {}
  ~LocationClient() override;

  void FindNearest(location::v1::FindNearestRequest request, const CallOptions& options,
                   Done done) override;

 private:
  void EndCall();

  location::v1::LocationService::StubInterface& stub_;
  Mutex mu_;
  CondVar idle_;
  int calls_under_way_ ABSL_GUARDED_BY(mu_) = 0;
};

/// Opens streams of positions on the stub, which must outlive them.
PositionForwarder::Open PositionStreams(location::v1::LocationService::StubInterface& stub);

}  // namespace ridestream::dispatch
