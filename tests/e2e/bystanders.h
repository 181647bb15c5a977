#pragma once

#include <memory>

#include "grpcpp/grpcpp.h"
#include "libs/base/geo.h"
#include "libs/process/local_services.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "tests/e2e/test_driver.h"

namespace ridestream::e2e {

/// Clients with an open stream on each service, which the actions of others must not affect.
class Bystanders {
 public:
  /// `system` must outlive them.
  explicit Bystanders(const process::LocalServices& system);
  ~Bystanders();

  /// A place on a street of the market.
  static LatLng AnyPlace();

  /// Requests, offers and drives a ride; expects that the driver, a follower of the log and a
  /// viewer of the map see it on the streams that they opened at first.
  void ExpectUntouched();

 private:
  const process::LocalServices& system_;
  const LatLng place_;
  TestDriver driver_;
  std::unique_ptr<trip::v1::TripService::Stub> trip_;
  std::unique_ptr<location::v1::LocationService::Stub> location_;
  grpc::ClientContext follower_context_;
  grpc::ClientContext viewer_context_;
  std::unique_ptr<grpc::ClientReader<trip::v1::FollowTripsResponse>> follower_;
  std::unique_ptr<grpc::ClientReader<location::v1::WatchAreaResponse>> viewer_;
};

}  // namespace ridestream::e2e
