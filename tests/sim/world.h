#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "loadtest/driver/cruise.h"
#include "tests/sim/dispatch_process.h"
#include "tests/sim/dispatch_seat.h"
#include "tests/sim/driver_device.h"
#include "tests/sim/location_process.h"
#include "tests/sim/rider_device.h"
#include "tests/sim/run.h"
#include "tests/sim/town.h"
#include "tests/sim/trip_process.h"

namespace ridestream::sim {

/// One run: three services, their drivers and riders, and all faults between them, determined by
/// one seed. Not thread-safe.
class World {
 public:
  explicit World(const RunOptions& options);
  RunResult Run();

 private:
  bool Violated() const {
    return !context_.violations.empty() ||
           std::any_of(seats_.begin(), seats_.end(),
                       [](const auto& seat) { return !seat->checker.violations().empty(); });
  }
  /// Runs one event. Returns false when there is none, or after a violation.
  bool Step();
  /// Injects faults between two steps.
  void Disturb();
  /// Makes the driver send something about another driver's trip or offer. Returns false if it
  /// couldn't.
  bool ErrsAbout(DriverDevice& driver);
  void Vanish(DriverDevice& driver);
  /// Stops all faults: everything that was begun must come to its end.
  void ComeToRest();
  template <class Condition>
  bool RunUntil(Duration within, Condition condition);
  void ReconnectVanished(bool everybody);
  void CheckAtRest();
  void Audit();

  void StartTrip();
  void StartDispatch(DispatchSeat& seat);
  void StartLocation();
  void CrashTrip();
  void CrashDispatch(DispatchSeat& seat);
  /// Like SIGTERM: operations in flight may finish, then the process is restarted.
  void DrainDispatch(DispatchSeat& seat);
  void StopDispatch(DispatchSeat& seat);
  void PauseDispatch(DispatchSeat& seat);
  void StepLeaseClock();
  /// The seat of the process that has the lease, as far as it knows; null if there is none.
  const DispatchSeat* FindLeader() const;
  std::size_t DriverStreams() const;
  void CrashLocation();
  template <class Start>
  void RestartLater(Start start);
  void AddDrivers();
  void AddRider();
  /// Whether somebody who is needed is away.
  bool AnybodyIsAway() const;

  const RunOptions options_;
  Context context_;
  Life life_;
  const loadtest::StreetCruises cruises_{TownStreets()->router(), TownStreets()->turns()};
  RecordChecker record_checker_{context_};
  TripDisk disk_{record_checker_};
  loadtest::DriverHabits driver_habits_;
  loadtest::RiderHabits rider_habits_;
  trip::SharingTerms sharing_;
  /// Options of each life of dispatch, until the run is calm.
  DispatchProcess::Options dispatch_options_;

  Host trip_host_{"trip"};
  Host location_host_{"location"};
  std::unique_ptr<TripProcess> trip_;
  std::unique_ptr<LocationProcess> location_;
  std::vector<std::unique_ptr<DispatchSeat>> seats_;  // One, or two that share the market.
  std::vector<std::unique_ptr<DriverDevice>> drivers_;
  std::vector<std::unique_ptr<RiderDevice>> riders_;
  std::uint64_t steps_ = 0;
};

}  // namespace ridestream::sim
