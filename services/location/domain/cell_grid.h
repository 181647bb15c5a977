#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/geo.h"
#include "services/location/domain/area.h"
#include "services/location/domain/position.h"

namespace ridestream::location {

/// A place as a point on the unit sphere: distances between such points need no trigonometry.
struct UnitVector {
  double x = 0, y = 0, z = 0;
};

UnitVector ToUnitVector(LatLng place);

/// The square of the straight line through the earth, in earth radii: grows with the great-circle
/// distance, so comparing it compares distances. 0 to 4.
inline double ChordSquared(const UnitVector& a, const UnitVector& b) {
  const double x = a.x - b.x;
  const double y = a.y - b.y;
  const double z = a.z - b.z;
  return x * x + y * y + z * z;
}

double ChordSquaredFromM(double distance_m);
double MFromChordSquared(double chord_squared);

/// Numbered drivers in S2 cells of one level, each in at most one cell. A driver is a slot: a small
/// number that the owner gives and takes back.
///
/// Only occupied cells exist: a hash map leads from the S2 cell id to a cell in a dense pool, and a
/// cell holds what a search looks at side by side. Thread-compatible: const calls may be
/// concurrent.
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

  /// `level` is S2's: 13 has cells of about 1 km, each level more halves it.
  explicit CellGrid(int level);

  /// Puts the slot at a place, and takes it from where it was.
  void Place(std::uint32_t slot, LatLng place, DriverState state, std::uint8_t free_seats);
  /// Nothing happens if the slot is nowhere.
  void Remove(std::uint32_t slot);

  /// Null if nobody is in that cell.
  const Cell* Find(std::uint64_t cell_id) const;
  /// All cells, and some that are empty.
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
  // By slot.
  std::vector<Location> locations_;
};

}  // namespace ridestream::location
