#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "loadtest/demand/demand.h"
#include "loadtest/report/tally.h"
#include "loadtest/rider/first_offers.h"
#include "loadtest/rider/rider_behaviour.h"
#include "loadtest/rider/trip_watch.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"

namespace ridestream::loadtest {

/// What all riders share. References must outlive the last rider's last call.
struct RiderWorld {
  std::string market;
  RiderHabits habits;
  std::shared_ptr<const Clock> clock;
  TimerQueue& timers;
  Tally& tally;
  FirstOffers& first_offers;
};

/// A behaviour, its timer and its calls, all asynchronous. Shared: timers and running calls hold
/// references. Thread-safe; calls are started under the lock, and gRPC answers on its own threads.
class Rider final : public TripWatch::Listener, public std::enable_shared_from_this<Rider> {
 public:
  using OnDone = std::function<void(Rider&)>;
  /// `on_done` is called once, without a lock, when the rider has finished and nothing is in
  /// flight. RequestTrip carries the header `traceparent`, unless it is empty.
  Rider(const RiderWorld& world, const std::shared_ptr<grpc::Channel>& channel, Request request,
        RiderBehaviour behaviour, OnDone on_done, std::string traceparent = {});

  /// Makes the rider's request if it is due.
  void Start() { OnTimer(); }
  /// See RiderBehaviour::Leave.
  void Leave();
  /// Makes no further calls and ends the watch; running calls may still be answered.
  void Stop();
  RiderOutcome outcome() const;
  RiderHistory history() const;

 private:
  using Event = std::function<void(RiderBehaviour&, Time)>;
  template <class Request, class Response>
  using Method = void (trip::v1::TripService::StubInterface::async_interface::*)(
      grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

  void OnTimer();
  /// Passes the event to the behaviour, and does what the behaviour then requests.
  void Handle(const Event& event);
  void Act(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Count(trip::v1::TripState state_before, RiderOutcome outcome_before)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Makes a unary call; Handle runs `on_answer`.
  template <class Request, class Response>
  void Call(
      Method<Request, Response> method, Request request, std::chrono::milliseconds timeout,
      std::function<void(RiderBehaviour&, const grpc::Status&, const Response&, Time)> on_answer,
      const std::string& traceparent = {}) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Quote() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RequestTrip() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CancelTrip(trip::v1::CancelReason reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ChangeDestination() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnWatch(const trip::v1::WatchTripResponse& response) override;
  void OnWatchEnded() override;

  const RiderWorld& world_;
  const std::unique_ptr<trip::v1::TripService::Stub> stub_;
  const Request request_;
  const OnDone on_done_;
  const std::string traceparent_;
  mutable Mutex mu_;
  RiderBehaviour behaviour_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<TripWatch> watch_ ABSL_GUARDED_BY(mu_);
  int calls_ ABSL_GUARDED_BY(mu_) = 0;  // Running calls, without the watch.
  Time armed_at_ ABSL_GUARDED_BY(mu_) = Time::max();
  std::uint64_t changes_counted_ ABSL_GUARDED_BY(mu_) = 0;
  bool trip_known_ ABSL_GUARDED_BY(mu_) = false;
  bool wait_counted_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  bool done_reported_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::loadtest
