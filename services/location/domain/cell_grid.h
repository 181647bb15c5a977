#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/geo.h"
#include "services/location/domain/area.h"
#include "services/location/domain/position.h"

namespace ridestream::location {

/// A place as a point on the unit sphere, where comparing distances needs no trigonometry.
struct UnitVector {
  double x = 0, y = 0, z = 0;
};

UnitVector ToUnitVector(LatLng place);

/// Squared length of the chord between two places, in squared earth radii, 0 to 4. It grows with
/// the great-circle distance, so comparing chords compares distances.
inline double ChordSquared(const UnitVector& a, const UnitVector& b) {
  const double x = a.x - b.x;
  const double y = a.y - b.y;
  const double z = a.z - b.z;
  return x * x + y * y + z * z;
}

double ChordSquaredFromM(double distance_m);
double MFromChordSquared(double chord_squared);

/// Drivers by S2 cell, all cells of one level, each driver in at most one cell. A driver is
/// identified by its slot, a small number that the owner assigns and reuses.
/// Only occupied cells are stored: a hash map leads from the S2 cell id to a cell in a dense pool,
/// and each cell stores contiguously the fields that a search reads. Thread-compatible: const calls
/// may be concurrent.
class CellGrid {
 public:
  struct Entry {
    UnitVector at;
    std::uint32_t slot = 0;
    DriverState state = DriverState::kIdle;
    std::uint8_t free_seats = 0;
  };
  struct Cell {
    /// S2 cell id.
    std::uint64_t id = 0;
    /// Contains all places of the cell.
    Area bounds;
    std::vector<Entry> entries;
  };

  /// `level` is the S2 cell level, 0 to 30. Level 13 has cells about 1 km wide, and each further
  /// level halves the width.
  explicit CellGrid(int level);

  /// Moves the slot to a place, whether or not it had one before.
  void Place(std::uint32_t slot, LatLng place, DriverState state, std::uint8_t free_seats);
  /// Does nothing if the slot has no place.
  void Remove(std::uint32_t slot);

  /// Null if the cell holds no driver.
  const Cell* Find(std::uint64_t cell_id) const;
  /// All occupied cells, and possibly empty ones that await reuse.
  const std::vector<Cell>& cells() const { return cells_; }
  size_t occupied_cells() const { return by_id_.size(); }
  int level() const { return level_; }

 private:
  static constexpr std::uint32_t kNowhere = ~0u;
  struct Location {
    std::uint32_t cell = kNowhere;
    std::uint32_t index = 0;
  };

  std::uint32_t OccupyCell(std::uint64_t cell_id);
  void RemoveAt(Location location);

  const int level_;
  absl::flat_hash_map<std::uint64_t, std::uint32_t> by_id_;
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> empty_cells_;
  // Indexed by slot.
  std::vector<Location> locations_;
};

}  // namespace ridestream::location
