#pragma once

#include <functional>
#include <memory>
#include <string>

#include "loadtest/rider/rider_behaviour.h"
#include "tests/sim/call.h"
#include "tests/sim/trip_process.h"

namespace ridestream::sim {

/// A rider's phone: the load test's RiderBehaviour, its calls and its watch. Not thread-safe.
class RiderDevice {
 public:
  struct Trip {
    LatLng pickup;
    LatLng dropoff;
    std::uint32_t party_size = 1;
  };

  RiderDevice(Context& context, Host& trip_host, std::unique_ptr<TripProcess>& trip,
              loadtest::RiderBehaviour::Wish wish, const Trip& wanted,
              const loadtest::RiderHabits& habits, loadtest::Random random);

  const loadtest::RiderBehaviour& behaviour() const { return behaviour_; }
  /// Whether the rider's request has ended, with no call or watch open.
  bool done() const { return behaviour_.done() && calls_ == 0 && watch_ == nullptr; }

 private:
  void Act();
  void Quote();
  void Request();
  void Cancel(trip::v1::CancelReason reason);
  void ChangeDestination();
  void Watch();
  void OnWatchEnded(std::uint64_t link);
  template <class Response>
  void Start(const std::string& what,
             std::function<void(TripProcess&, const RiderId&, Reply<Response>)> serve,
             std::function<void(const absl::StatusOr<Response>&, Time)> on_answer);
  void Arm();

  Context& context_;
  Host& trip_host_;
  std::unique_ptr<TripProcess>& trip_;
  const RiderId id_;
  const Trip wanted_;
  Host host_;
  loadtest::RiderBehaviour behaviour_;
  std::shared_ptr<Link> watch_;
  int calls_ = 0;
  Time armed_at_ = Time::max();
};

}  // namespace ridestream::sim
