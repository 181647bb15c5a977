#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "services/location/domain/area.h"
#include "services/location/domain/market_index.h"

namespace ridestream::location {

/// One update of a viewer's map.
struct AreaFrame {
  /// True for the first frame, which replaces everything that the viewer knows.
  bool snapshot = false;
  /// Drivers who entered the area, moved or changed since the previous frame. Unsorted, since
  /// sorting would take longer than finding them.
  NearbyDrivers drivers;
  /// Drivers who left the area, went offline or became stale, sorted by id.
  std::vector<DriverId> gone;
};

/// What one viewer of an area knows, from which the next frame is computed. A slow viewer is at
/// most one frame behind: changes between two frames are merged.
/// Used with one viewer and one index. Not thread-safe.
class AreaView {
 public:
  /// Bounds the size of a frame (0.6 MB) and how long the index is locked for it (4 ms measured).
  /// The remaining drivers follow in the next frames, each of which starts where the previous one
  /// stopped.
  static constexpr size_t kMaxDriversPerFrame = 10'000;

  explicit AreaView(const Area& area, size_t max_drivers_per_frame = kMaxDriversPerFrame)
      : area_(area), max_drivers_per_frame_(max_drivers_per_frame) {}

  /// Computes the next frame, and assumes that the viewer will receive it. `index` is null while
  /// the market has no index.
  AreaFrame NextFrame(const MarketIndex* index, Time now);

 private:
  struct Known {
    // MarketIndex::Record::revision in the viewer's last frame.
    std::uint64_t revision = 0;
    // Number of the last frame in which the driver was in the area.
    std::uint64_t frame = 0;
  };

  void AddCell(const CellGrid::Cell& cell, const MarketIndex& index, Time now, AreaFrame& frame);
  void CollectGone(AreaFrame& frame);

  const Area area_;
  const size_t max_drivers_per_frame_;
  absl::flat_hash_map<DriverId, Known> known_;
  std::uint64_t frames_ = 0;
  // Grid cell at which the next frame begins.
  size_t first_cell_ = 0;
};

}  // namespace ridestream::location
