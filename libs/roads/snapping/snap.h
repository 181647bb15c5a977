#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/base/vector4.h"
#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// A place on a street. On a two-way street `edge` is either direction, and both may be driven; in
/// the other direction the place is at 1 - fraction of RoadGraph::Opposite(edge).
struct SnappedPoint {
  EdgeIndex edge = 0;
  double fraction = 0;    ///< 0 to 1 along the edge.
  LatLng point;           ///< The place itself.
  double distance_m = 0;  ///< From the place that was asked for.
  /// Whether a car is driving along `edge` there: a drive that starts there continues in this
  /// direction.
  bool under_way = false;

  friend bool operator==(const SnappedPoint&, const SnappedPoint&) = default;
};

/// The use of a place on a street: a car under way may be on any street; a stop for a rider must be
/// where a car may stop (Edge::may_stop).
enum class StreetUse { kDrive, kStop };

/// Finds the nearest place on a street. Keeps the segments in a grid of cells of about 150 m, and
/// searches in growing rings, four segments at once: some tenths of a microsecond per query.
///
/// Immutable, hence safe to use from any thread. The graph must outlive it.
class Snapper {
 public:
  /// A place farther than this from all streets isn't in the city.
  static constexpr double kMaxDistanceM = 500;

  explicit Snapper(const RoadGraph& graph);

  /// The nearest place on a street. INVALID_ARGUMENT for invalid coordinates; NOT_FOUND, with the
  /// distance, if the nearest street is more than `max_distance_m` away.
  absl::StatusOr<SnappedPoint> Snap(LatLng place, StreetUse use = StreetUse::kDrive,
                                    double max_distance_m = kMaxDistanceM) const;

  /// Like Snap, for callers that don't need an error text: returns nullopt instead.
  std::optional<SnappedPoint> Nearest(LatLng place, StreetUse use = StreetUse::kDrive,
                                      double max_distance_m = kMaxDistanceM) const;

  /// Nearest for each of many places, in order. Several times as fast, because memory for the next
  /// places is prefetched during a search.
  std::vector<std::optional<SnappedPoint>> NearestOfEach(
      std::span<const LatLng> places, StreetUse use = StreetUse::kDrive,
      double max_distance_m = kMaxDistanceM) const;

  /// The nearest place on each street within `distance_m` of `place`, unordered; for a two-way
  /// street in one direction.
  std::vector<SnappedPoint> Within(LatLng place, double distance_m) const;

 private:
  /// A segment's ends on the map's plane.
  struct Segment {
    LatLng a, b;
    EdgeIndex edge;
    bool may_stop;
  };
  struct Search;

  /// Four segments of a cell with their ends, so that a cell is read without access to the graph.
  /// If a cell has fewer, the last one is repeated.
  struct Block {
    Int4 a_lat_e7, a_lng_e7, b_lat_e7, b_lng_e7;
    Int4 may_stop;  // All bits set, or none.
    EdgeIndex edge[4];

    void Set(int lane, const Segment& segment);
    Segment At(int lane) const;
  };

  /// The map's plane has longitudes relative to the middle of the graph, so that their differences
  /// are right on both sides of the antimeridian.
  LatLng ToPlane(LatLng place) const;
  LatLng FromPlane(LatLng place) const;
  std::int64_t Column(std::int64_t lng_e7) const;
  std::int64_t Row(std::int64_t lat_e7) const;
  template <class Visit>
  void ForEachCellOf(const Segment& segment, Visit visit) const;
  void ChooseCells(std::size_t segment_count);
  void FillCells(const std::vector<Segment>& segments);
  void SearchCells(std::int64_t row, std::int64_t first_column, std::int64_t last_column,
                   Search& search) const;

  const RoadGraph& graph_;
  const std::int32_t middle_lng_e7_;
  const LatLng origin_;  // south-west corner of the grid, on the plane
  std::int64_t cell_lat_e7_ = 1;
  std::int64_t cell_lng_e7_ = 1;
  std::int64_t rows_ = 1;
  std::int64_t columns_ = 1;
  std::vector<std::uint32_t> first_;  // rows_ * columns_ + 1 entries, into blocks_
  std::vector<Block> blocks_;         // cell by cell; a segment is in each cell it touches
};

}  // namespace ridestream::roads
