#pragma once

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/trip/storage/batch.h"
#include "services/trip/storage/memory_trip_store.h"
#include "tests/sim/record_checker.h"

namespace ridestream::sim {

/// The file of the trip service: what was committed survives a crash. The rows are those of the
/// real MemoryTripStore; after a transaction that is rolled back they are made again from what was
/// committed. Not thread-safe.
class TripDisk {
 public:
  explicit TripDisk(RecordChecker& checker);

  /// As it is read by everybody.
  const trip::TripStore& store() const { return *store_; }

  /// Carries the batch out in one transaction, so that its outcomes are known. It is durable from
  /// here on, or, if `is_rolled_back`, as if it had never been.
  void Transact(trip::Batch& batch, Time now, bool is_rolled_back);

  /// How far the clock that judges leases is off the time from now on. Any step, in any direction.
  void StepLeaseClock(Duration off) { lease_clock_off_ = off; }

 private:
  struct Committed {
    std::variant<trip::Command, trip::Quote, trip::LeaseCommand> row;
    Time at;
  };
  void Reopen();
  absl::StatusOr<trip::TripPtr> Apply(const Committed& row);
  absl::StatusOr<trip::LeaseAnswer> ApplyLease(const Committed& row);

  RecordChecker& checker_;
  ManualClock clock_;
  Duration lease_clock_off_{0};
  std::vector<Committed> committed_;
  std::vector<trip::EventPtr> events_;  // Of the row that was applied last.
  std::unique_ptr<trip::MemoryTripStore> store_;
};

}  // namespace ridestream::sim
