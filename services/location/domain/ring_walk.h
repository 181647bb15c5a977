#pragma once

#include <array>
#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "services/location/domain/cell_grid.h"

namespace ridestream::location {

/// Walks a grid's cells around a center outward, ring by ring, until nothing that remains can be
/// near enough. Exact everywhere, over the edges of S2's six faces too: a center that lies beyond a
/// face's edge still has coordinates in that face's plane, so each face near the center is walked
/// by the same rule, clipped to the face.
///
/// Lives for one search; the grid must not change meanwhile.
class RingWalk {
 public:
  using Cells = absl::InlinedVector<const CellGrid::Cell*, 64>;
  enum class Step {
    /// `cells` holds the occupied cells of one more ring, perhaps none.
    kRing,
    /// What was not walked is farther than asked for.
    kDone,
    /// Going on would cost more than looking at all the grid's cells.
    kTooManyCells,
  };

  RingWalk(const CellGrid& grid, const UnitVector& center);

  /// Goes one ring on, unless all that remains is farther than `max_chord_squared`, which may
  /// shrink from call to call.
  Step Next(double max_chord_squared, Cells& cells);

 private:
  // The walk over one face of S2's cube.
  struct Face {
    int number = 0;
    // The center in the face's frame; w points out of the face.
    double u = 0, v = 0, w = 0;
    // The center's cell by row and column; out of the face's range if the center is.
    int i = 0, j = 0;
    // The next ring.
    int ring = 0;
  };

  double ChordSquaredBeyond(const Face& face) const;
  void AddRing(const Face& face, Cells& cells);
  void AddCell(int face, int i, int j, Cells& cells);

  const CellGrid& grid_;
  // Cells along one edge of a face.
  const int size_;
  // The first `face_count_` are near enough to matter, the nearest first.
  std::array<Face, 6> faces_;
  size_t face_count_ = 0;
  size_t current_ = 0;
  size_t looked_up_ = 0;
};

}  // namespace ridestream::location
