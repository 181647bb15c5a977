#pragma once

#include <array>
#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "services/location/domain/cell_grid.h"

namespace ridestream::location {

/// Visits a grid's cells around a center, ring by ring outward, until no remaining cell can be near
/// enough. Exact everywhere, including across the edges of S2's six cube faces: a center beyond a
/// face's edge still has coordinates in that face's plane, so each face near the center is walked
/// by the same rule, clipped to the face.
/// Used for one search, during which the grid must not change.
class RingWalk {
 public:
  using Cells = absl::InlinedVector<const CellGrid::Cell*, 64>;
  enum class Step {
    /// `cells` holds the occupied cells of the next ring, possibly none.
    kRing,
    /// All remaining cells are too far away.
    kDone,
    /// Continuing would cost more than scanning all cells of the grid.
    kTooManyCells,
  };

  RingWalk(const CellGrid& grid, const UnitVector& center);

  /// Advances by one ring, unless all remaining cells are farther than `max_chord_squared`, which
  /// may shrink from call to call.
  Step Next(double max_chord_squared, Cells& cells);

 private:
  // The walk on one face of the S2 cube.
  struct Face {
    int number = 0;
    // The center in the face's coordinates. w points out of the face.
    double u = 0, v = 0, w = 0;
    // Column and row of the center's cell. Out of range if the center is beyond the face.
    int i = 0, j = 0;
    // Number of the next ring.
    int ring = 0;
  };

  double ChordSquaredBeyond(const Face& face) const;
  void AddRing(const Face& face, Cells& cells);
  void AddCell(int face, int i, int j, Cells& cells);

  const CellGrid& grid_;
  // Number of cells along one edge of a face.
  const int size_;
  // The first `face_count_` faces are near enough to matter, nearest first.
  std::array<Face, 6> faces_;
  size_t face_count_ = 0;
  size_t current_ = 0;
  size_t looked_up_ = 0;
};

}  // namespace ridestream::location
