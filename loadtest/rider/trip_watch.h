#pragma once

#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"

namespace ridestream::loadtest {

/// The client's end of one WatchTrip stream. Shared: its rider holds it to cancel it, and gRPC
/// holds it (`self_`) until OnDone. It only reads, so it needs no lock.
class TripWatch final : public grpc::ClientReadReactor<trip::v1::WatchTripResponse> {
 public:
  /// Called on gRPC's threads, one at a time; OnWatchEnded last.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnWatch(const trip::v1::WatchTripResponse& response) = 0;
    virtual void OnWatchEnded() = 0;
  };

  static std::shared_ptr<TripWatch> Open(trip::v1::TripService::Stub& stub,
                                         const std::string& market, const std::string& rider,
                                         const std::string& trip,
                                         std::shared_ptr<Listener> listener);
  /// Thread-safe.
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    listener_->OnWatch(response_);
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override;

 private:
  explicit TripWatch(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}

  std::shared_ptr<Listener> listener_;
  grpc::ClientContext context_;
  trip::v1::WatchTripRequest request_;
  trip::v1::WatchTripResponse response_;
  std::shared_ptr<TripWatch> self_;
};

}  // namespace ridestream::loadtest
