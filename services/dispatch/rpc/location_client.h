#pragma once

#include <string>
#include <utility>

#include "libs/base/mutex.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/dispatch/runner/location_port.h"
#include "services/dispatch/runner/position_forwarder.h"

namespace ridestream::dispatch {

/// The location service over gRPC. End waits for calls in progress. Thread-safe.
class LocationClient final : public LocationPort {
 public:
  /// All calls concern `market`. `stub` must outlive this object.
  LocationClient(location::v1::LocationService::StubInterface& stub, std::string market)
      : stub_(stub), market_(std::move(market)) {}
  ~LocationClient() override;

  void FindNearest(location::v1::FindNearestRequest request, const CallOptions& options,
                   Done done) override;

 private:
  void EndCall();

  location::v1::LocationService::StubInterface& stub_;
  const std::string market_;
  Mutex mu_;
  CondVar idle_;
  int calls_under_way_ ABSL_GUARDED_BY(mu_) = 0;
};

/// Opens streams of the market's positions on the stub, which must outlive the streams.
PositionForwarder::Open PositionStreams(location::v1::LocationService::StubInterface& stub,
                                        const std::string& market);

}  // namespace ridestream::dispatch
