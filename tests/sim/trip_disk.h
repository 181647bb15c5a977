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

/// The trip service's file: committed data survives a crash. The rows are in a real
/// MemoryTripStore; after a rollback they are rebuilt from committed data. Not thread-safe.
class TripDisk {
 public:
  explicit TripDisk(RecordChecker& checker);

  /// The store that everybody reads.
  const trip::TripStore& store() const { return *store_; }

  /// Executes the batch in one transaction, so that its outcomes are known. Afterwards it is
  /// durable, or, if `is_rolled_back`, without effect.
  void Transact(trip::Batch& batch, Time now, bool is_rolled_back);

  /// Sets the offset of the clock that judges leases. It may step in any direction.
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
