#pragma once

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/trip/storage/memory_trip_store.h"
#include "tests/sim/record_checker.h"

namespace ridestream::sim {

/// The file of the trip service: what was synced survives a crash, what was only written doesn't.
/// The rows are those of the real MemoryTripStore; after a crash that loses something they are made
/// again from what was synced. Not thread-safe.
class TripDisk {
 public:
  using Row = std::variant<trip::Command, trip::Quote>;
  /// What a row's writing came to: the answer to its command.
  using Answer = absl::StatusOr<trip::TripPtr>;

  explicit TripDisk(RecordChecker& checker);

  /// As it is read by everybody.
  const trip::TripStore& store() const { return *store_; }

  Answer Write(const Row& row, Time now);
  /// All that was written is durable. Returns the new entries of the log.
  std::vector<trip::EventPtr> Sync();
  /// The process died. Returns how many rows are lost.
  std::size_t Crash();

 private:
  struct Written {
    Row row;
    Time at;
  };
  void Reopen();
  Answer Apply(const Written& written);

  RecordChecker& checker_;
  ManualClock clock_;
  std::vector<Written> written_;
  std::size_t synced_ = 0;  // So many of these are durable.
  std::vector<trip::EventPtr> unsynced_events_;
  std::unique_ptr<trip::MemoryTripStore> store_;
};

}  // namespace ridestream::sim
