#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "libs/base/clock.h"
#include "services/location/domain/cell_grid.h"
#include "services/location/domain/position.h"

namespace ridestream::location {

struct IndexOptions {
  /// A position older than this is not found any more, and soon forgotten. > 0.
  Duration staleness = std::chrono::seconds(30);
  /// Bound on memory, about 350 bytes a driver: what comes beyond it is rejected.
  size_t max_drivers_per_market = 200'000;
  /// Bound on memory, likewise.
  size_t max_markets = 64;
  /// Size of the cells, see CellGrid. By location_index_bench, 14 (about 600 m) is the best of 13
  /// to 16 for updates and for up to 100 drivers a square kilometre, and near it beyond.
  int cell_level = 14;
};

/// The latest position of each driver of one market. Deterministic: time comes in with each call.
///
/// A driver has one place or none, and moves in one call. A driver that went OFFLINE is remembered
/// for the time of a staleness, so that a late older position doesn't bring it back.
/// Thread-compatible: const calls may be concurrent.
class MarketIndex {
 public:
  /// What is known of a driver.
  struct Record {
    /// Null in a slot that is free.
    const std::string* id = nullptr;
    /// Another one after each change that a viewer can see; never given twice.
    std::uint64_t revision = 0;
    std::uint64_t session_epoch = 0;
    std::uint64_t sequence = 0;
    Time received_at;
    LatLng place;
    std::uint32_t heading_deg = 0;
    DriverState state = DriverState::kOffline;
    std::uint8_t free_seats = 0;
  };

  explicit MarketIndex(const IndexOptions& options);
  MarketIndex(const MarketIndex&) = delete;
  MarketIndex& operator=(const MarketIndex&) = delete;

  /// Applies the positions in order. Forgets stale drivers as it goes: each call looks at more
  /// slots than it can fill, so a market never stays full of the stale.
  ApplyCounts Apply(std::span<const PositionReport> reports, Time now);

  /// The drivers that fit the query, nearest first; those equally far by their ids.
  NearbyDrivers Nearest(const NearestQuery& query, Time now) const;

  bool IsFresh(const Record& record, Time now) const {
    return now - record.received_at <= options_.staleness;
  }
  const Record& record(std::uint32_t slot) const { return records_[slot]; }
  const CellGrid& grid() const { return grid_; }
  /// Drivers that take up room, the offline and the stale included.
  size_t size() const { return slots_.size(); }

 private:
  enum class Outcome { kApplied, kSuperseded, kRejected };

  Outcome ApplyOne(const PositionReport& report, Time now);
  std::uint32_t TakeSlot();
  void ForgetStale(size_t slots_to_look_at, Time now);
  void Forget(std::uint32_t slot);

  const IndexOptions options_;
  CellGrid grid_;
  // A node per driver, since records point at its key.
  absl::node_hash_map<std::string, std::uint32_t> slots_;
  std::vector<Record> records_;
  std::vector<std::uint32_t> free_slots_;
  // Where ForgetStale continues.
  size_t next_to_look_at_ = 0;
  std::uint64_t last_revision_ = 0;
};

}  // namespace ridestream::location
