#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "libs/base/geo.h"
#include "libs/base/mutex.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"

namespace ridestream::e2e {

/// A driver's app that the test controls, over a real stream: connects, continuously reports its
/// position, acks pushes, and lets the test wait for a push. All waits fail the test after 30 s.
class TestDriver {
 public:
  TestDriver(const std::string& dispatch_address, std::string id, LatLng place, int seats = 4);
  ~TestDriver();

  /// Connects, or reconnects, as soon as the service is reachable, and resumes a previous session.
  /// Returns the Welcome.
  dispatch::v1::Welcome Connect();
  /// Cuts the connection without notifying the driver's state.
  void Cut();

  dispatch::v1::Offer WaitForOffer();
  dispatch::v1::OfferEnded WaitForOfferEnded();
  dispatch::v1::Plan WaitForPlan(dispatch::v1::PlanCause cause);
  dispatch::v1::Rejected WaitForRejected();
  dispatch::v1::Goodbye WaitForGoodbye();

  void Answer(const dispatch::v1::Offer& offer, bool accept);
  void Do(const std::string& trip_id, dispatch::v1::StopAction action);
  void GiveUp(const std::string& trip_id);
  /// Accepts the offer and drives the trip to its end, waiting for the plan after each step.
  void AcceptAndFinish(const dispatch::v1::Offer& offer);

  /// Sequences of the pushes received, over all connections.
  std::vector<std::uint64_t> sequences();

 private:
  struct Connection;

  void Open();
  /// The next push that `is` accepts; nullopt if the stream ended, or `end` came, without one.
  std::optional<dispatch::v1::DriveResponse> Next(
      const std::function<bool(const dispatch::v1::DriveResponse&)>& is,
      std::chrono::steady_clock::time_point end);
  dispatch::v1::DriveResponse WaitFor(
      const std::string& what, const std::function<bool(const dispatch::v1::DriveResponse&)>& is);
  bool EndedWith(grpc::StatusCode code);
  void FailToGet(const std::string& what);
  void Write(const dispatch::v1::DriveRequest& request);
  void Read();
  void Report();

  const std::string id_;
  const int seats_;
  std::unique_ptr<dispatch::v1::DispatchService::Stub> stub_;

  Mutex mu_;
  CondVar changed_;
  LatLng place_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<Connection> connection_;
  std::deque<dispatch::v1::DriveResponse> pushes_ ABSL_GUARDED_BY(mu_);
  std::vector<std::uint64_t> sequences_ ABSL_GUARDED_BY(mu_);
  dispatch::v1::Resume resume_ ABSL_GUARDED_BY(mu_);
  std::uint64_t position_sequence_ ABSL_GUARDED_BY(mu_) = 0;
  /// The status of the last stream; nullopt while it is open.
  std::optional<grpc::Status> status_ ABSL_GUARDED_BY(mu_);
  Mutex write_mu_;
};

}  // namespace ridestream::e2e
