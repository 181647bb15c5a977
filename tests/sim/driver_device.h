#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "loadtest/driver/driver_behaviour.h"
#include "tests/sim/dispatch_process.h"
#include "tests/sim/dispatch_seat.h"
#include "tests/sim/link.h"

namespace ridestream::sim {

/// A driver's phone: the load test's DriverBehaviour on a stream that may break, on a device that
/// may vanish, be wrong about time and place, and repeat itself. Not thread-safe.
class DriverDevice {
 public:
  /// `seats`: where dispatch may run, at least one.
  DriverDevice(Context& context, const std::vector<std::unique_ptr<DispatchSeat>>& seats,
               loadtest::DriverBehaviour::Identity identity, const loadtest::DriverHabits& habits,
               const loadtest::Cruises& cruises, loadtest::Random random);

  /// Sends and receives nothing until ComeBack.
  void Vanish();
  void ComeBack();
  bool vanished() const { return vanished_; }
  void BreakStream();
  /// Sends an invalid request, if it can and the request isn't about its own offer.
  bool SendInvalid(dispatch::v1::DriveRequest request);

  void Park();
  const loadtest::DriverBehaviour& behaviour() const { return behaviour_; }
  const DriverId& id() const { return id_; }
  /// Whether a rider is aboard, by its own steps and the pushes that arrived.
  bool HasRider() const { return has_rider_; }

 private:
  void OnTime();
  void OnMessage(std::uint64_t link, const dispatch::v1::DriveResponse& message);
  void OnClosed(std::uint64_t link, const absl::Status& status);
  void Apply(loadtest::DriverBehaviour::Actions actions);
  void Connect();
  void CutStream();
  void SwitchNetwork();
  void Send(dispatch::v1::DriveRequest request);
  void Distort(dispatch::v1::Position& position);
  void Judge();
  void Arm();

  Context& context_;
  const std::vector<std::unique_ptr<DispatchSeat>>& seats_;
  std::size_t seat_ = 0;  // The seat that it tries next.
  const DriverId id_;
  Host host_;
  loadtest::DriverBehaviour behaviour_;
  const Duration clock_error_;
  std::shared_ptr<Link> link_;
  bool vanished_ = false;
  bool has_rider_ = false;
  std::uint64_t plan_version_ = 0;
  bool switching_ = false;
  Time armed_at_ = Time::max();
  std::map<std::string, Time> leases_;
};

}  // namespace ridestream::sim
