#include "services/location/domain/ring_walk.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "s2/s2cell_id.h"
#include "s2/s2coords.h"

namespace ridestream::location {
namespace {

// A face's own points have w >= 1/sqrt(3) = 0.577. A center below this is more than 5 degrees away
// from the face, which kMaxChordSquared rules out.
constexpr double kMinW = 0.5;
// (500 km / earth radius)^2.
constexpr double kMaxChordSquared = 0.00616;
// Covers the rounding of a place into its cell: 10^-14 earth radii are 64 nm.
constexpr double kRounding = 1e-14;
// Looking up this many cells is cheap even if few of them are occupied.
constexpr size_t kFreeLookUps = 64;

}  // namespace

RingWalk::RingWalk(const CellGrid& grid, const UnitVector& center)
    : grid_(grid), size_(1 << grid.level()) {
  const S2Point point(center.x, center.y, center.z);
  for (int number = 0; number < 6; ++number) {
    const S2Point uvw = S2::FaceXYZtoUVW(number, point);
    if (uvw[2] <= kMinW) continue;
    const auto row = [this](double u) {
      return static_cast<int>(std::floor(S2::UVtoST(u) * size_));
    };
    Face face{number, uvw[0], uvw[1], uvw[2], row(uvw[0] / uvw[2]), row(uvw[1] / uvw[2]), 0};
    // The first ring that intersects the face.
    face.ring = std::max({0, -face.i, face.i - (size_ - 1), -face.j, face.j - (size_ - 1)});
    faces_[face_count_++] = face;
  }
  std::sort(faces_.begin(), faces_.begin() + face_count_,
            [](const Face& a, const Face& b) { return a.w > b.w; });
}

RingWalk::Step RingWalk::Next(double max_chord_squared, Cells& cells) {
  cells.clear();
  if (max_chord_squared > kMaxChordSquared) return Step::kTooManyCells;
  while (current_ < face_count_ && ChordSquaredBeyond(faces_[current_]) > max_chord_squared) {
    ++current_;
  }
  if (current_ == face_count_) return Step::kDone;
  AddRing(faces_[current_], cells);
  ++faces_[current_].ring;
  return looked_up_ > grid_.occupied_cells() + kFreeLookUps ? Step::kTooManyCells : Step::kRing;
}

// A lower bound on the distance to the part of the face that no ring has covered yet. The rings
// cover a square of rows and columns whose four sides lie on great circles, and every point outside
// lies beyond one of them. The sine of the angle to a great circle never exceeds the chord.
double RingWalk::ChordSquaredBeyond(const Face& face) const {
  if (face.ring == 0) return 0;
  const int reach = face.ring - 1;
  double nearest = std::numeric_limits<double>::infinity();
  const auto consider = [&](double along, int edge) {
    // No cell of the face lies beyond the face's own edge.
    const double u = S2::STtoUV(static_cast<double>(edge) / size_);
    nearest = std::min(nearest, std::abs(along - u * face.w) / std::sqrt(1 + u * u));
  };
  if (face.i - reach > 0) consider(face.u, face.i - reach);
  if (face.i + reach + 1 < size_) consider(face.u, face.i + reach + 1);
  if (face.j - reach > 0) consider(face.v, face.j - reach);
  if (face.j + reach + 1 < size_) consider(face.v, face.j + reach + 1);
  nearest = std::max(0.0, nearest - kRounding);
  return nearest * nearest;
}

void RingWalk::AddRing(const Face& face, Cells& cells) {
  const auto clip = [this](int row) { return std::clamp(row, 0, size_ - 1); };
  const auto on_face = [this](int row) { return row >= 0 && row < size_; };
  const int first_j = face.j - face.ring;
  const int last_j = face.j + face.ring;
  for (int i = clip(face.i - face.ring); i <= clip(face.i + face.ring); ++i) {
    if (std::abs(i - face.i) == face.ring) {
      for (int j = clip(first_j); j <= clip(last_j); ++j) AddCell(face.number, i, j, cells);
    } else {
      if (on_face(first_j)) AddCell(face.number, i, first_j, cells);
      if (on_face(last_j)) AddCell(face.number, i, last_j, cells);
    }
  }
}

void RingWalk::AddCell(int face, int i, int j, Cells& cells) {
  ++looked_up_;
  const int shift = S2CellId::kMaxLevel - grid_.level();
  const S2CellId id = S2CellId::FromFaceIJ(face, i << shift, j << shift).parent(grid_.level());
  if (const CellGrid::Cell* cell = grid_.Find(id.id())) cells.push_back(cell);
}

}  // namespace ridestream::location
