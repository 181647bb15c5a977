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
  /// Age from which searches ignore a position, which is removed soon after. Positive.
  Duration staleness = std::chrono::seconds(30);
  /// Bounds memory, at about 350 bytes a driver. Positions of further drivers are rejected.
  size_t max_drivers_per_market = 200'000;
  /// Bounds memory. Batches for further markets are rejected.
  size_t max_markets = 64;
  /// S2 level of the cells, see CellGrid. In location_index_bench, 14 (about 600 m) is the best of
  /// 13 to 16 for updates and for queries up to 100 drivers per square kilometre, and close to the
  /// best beyond.
  int cell_level = 14;
};

/// The latest position of each driver of one market. Deterministic: callers pass the time.
/// A driver is in one place or none, and moves atomically. A driver who went OFFLINE is remembered
/// for the duration of `staleness`, so that a late, older position doesn't bring it back.
/// Thread-compatible: const calls may be concurrent.
class MarketIndex {
 public:
  /// A driver's latest position and state.
  struct Record {
    /// Null if the slot is free.
    const std::string* id = nullptr;
    /// Changes with every change that a viewer can see. Never reused.
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

  /// Applies the positions in order, and removes stale drivers: each call checks more slots than it
  /// can fill, so a market never stays full of stale drivers.
  ApplyCounts Apply(std::span<const PositionReport> reports, Time now);

  /// Drivers that match the query, nearest first. Ties are broken by id.
  NearbyDrivers Nearest(const NearestQuery& query, Time now) const;

  bool IsFresh(const Record& record, Time now) const {
    return now - record.received_at <= options_.staleness;
  }
  const Record& record(std::uint32_t slot) const { return records_[slot]; }
  const CellGrid& grid() const { return grid_; }
  /// Number of drivers held, including offline and stale ones that aren't removed yet.
  size_t size() const { return slots_.size(); }

 private:
  enum class Outcome { kApplied, kSuperseded, kRejected };

  Outcome ApplyOne(const PositionReport& report, Time now);
  std::uint32_t TakeSlot();
  void ForgetStale(size_t slots_to_look_at, Time now);
  void Forget(std::uint32_t slot);

  const IndexOptions options_;
  CellGrid grid_;
  // A node map, since records point at its keys.
  absl::node_hash_map<std::string, std::uint32_t> slots_;
  std::vector<Record> records_;
  std::vector<std::uint32_t> free_slots_;
  // Slot at which ForgetStale continues.
  size_t next_to_look_at_ = 0;
  std::uint64_t last_revision_ = 0;
};

}  // namespace ridestream::location
