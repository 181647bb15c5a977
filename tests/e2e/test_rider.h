#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/geo.h"
#include "libs/base/mutex.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"

namespace ridestream::e2e {

/// A rider's app that the test controls. All waits fail the test after 30 s.
class TestRider {
 public:
  TestRider(const std::string& trip_address, std::string id);
  ~TestRider();

  trip::v1::QuoteTripResponse Quote(LatLng from, LatLng to, bool shared = false);
  /// Requests a ride and watches it from then on.
  trip::v1::Trip Request(const trip::v1::QuoteTripResponse& quote, const std::string& request_id);
  trip::v1::Trip Cancel();
  trip::v1::Trip ChangeDestination(LatLng to);

  /// Waits until the watch shows the trip in this state.
  trip::v1::Trip WaitFor(trip::v1::TripState state);
  /// Waits until the watch has shown the driver with this status.
  void WaitFor(trip::v1::DriverStatus status);
  /// Waits until the watch shows the driver as lost with the rider aboard.
  void WaitForLostDriver();
  /// The states in the order in which they were seen.
  std::vector<trip::v1::TripState> states();

 private:
  template <class Response, class Message>
  Response Call(grpc::Status (trip::v1::TripService::Stub::*rpc)(grpc::ClientContext*,
                                                                 const Message&, Response*),
                const Message& request);
  void Watch(const std::string& trip_id);
  void WaitUntil(const std::string& what, const std::function<bool()>& is);

  const std::string id_;
  std::unique_ptr<trip::v1::TripService::Stub> stub_;
  std::string trip_id_;
  int changes_ = 0;

  Mutex mu_;
  CondVar changed_;
  trip::v1::WatchTripResponse latest_ ABSL_GUARDED_BY(mu_);
  std::vector<trip::v1::TripState> states_ ABSL_GUARDED_BY(mu_);
  std::set<trip::v1::DriverStatus> driver_statuses_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<grpc::ClientContext> watch_context_;
  std::thread watcher_;
};

}  // namespace ridestream::e2e
