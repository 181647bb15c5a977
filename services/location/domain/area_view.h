#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "services/location/domain/area.h"
#include "services/location/domain/market_index.h"

namespace ridestream::location {

/// One frame for a viewer.
struct AreaFrame {
  /// The first frame: it replaces all that the viewer knows.
  bool snapshot = false;
  /// New in the area, moved or changed since the frame before. In no order: sorting them would
  /// take longer than finding them.
  NearbyDrivers drivers;
  /// Left the area, went offline or stale. By id.
  std::vector<DriverId> gone;
};

/// The state that one viewer of an area has, which decides the content of the next frame. However
/// long the viewer takes, it is one frame behind: changes between two frames cost nothing.
///
/// Belongs to one viewer and always to the same index. Not thread-safe.
class AreaView {
 public:
  /// Bounds a frame (0.6 MB) and how long its index is held shared (4 ms measured). What is over
  /// follows in the next frames, which begin elsewhere in the area, so that none is forgotten.
  static constexpr size_t kMaxDriversPerFrame = 10'000;

  explicit AreaView(const Area& area, size_t max_drivers_per_frame = kMaxDriversPerFrame)
      : area_(area), max_drivers_per_frame_(max_drivers_per_frame) {}

  /// Compares with the index, and takes it that the viewer will get the frame. `index` is null
  /// while the market has no index yet.
  AreaFrame NextFrame(const MarketIndex* index, Time now);

 private:
  struct Known {
    // MarketIndex::Record::revision in the viewer's last frame.
    std::uint64_t revision = 0;
    // The last frame at whose time the driver was in the area.
    std::uint64_t frame = 0;
  };

  void LookAt(const CellGrid::Cell& cell, const MarketIndex& index, Time now, AreaFrame& frame);
  void CollectGone(AreaFrame& frame);

  const Area area_;
  const size_t max_drivers_per_frame_;
  absl::flat_hash_map<DriverId, Known> known_;
  std::uint64_t frames_ = 0;
  // The cell of the grid at which the next frame begins.
  size_t first_cell_ = 0;
};

}  // namespace ridestream::location
