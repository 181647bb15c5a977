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

/// A place on a street. On a two-way street `edge` is either direction, and both may be driven; the
/// place is then at 1 - fraction of RoadGraph::Opposite(edge).
struct SnappedPoint {
  EdgeIndex edge = 0;
  double fraction = 0;    ///< 0 to 1 along the edge.
  LatLng point;           ///< The place itself.
  double distance_m = 0;  ///< From the place that was asked for.
  /// A car is driving along `edge` there: as the start of a drive, that one goes on in this
  /// direction.
  bool under_way = false;

  friend bool operator==(const SnappedPoint&, const SnappedPoint&) = default;
};

/// What a place on a street is for: a car under way may be on any, a stop for a rider only where a
/// car may stop (Edge::may_stop).
enum class StreetUse { kDrive, kStop };

/// Finds the nearest place on a street. Keeps the segments in a grid of cells of about 150 m, and
/// searches in growing rings, four segments at once: some tenths of a microsecond.
///
/// Immutable, so safe to use from any thread. The graph must outlive it.
class Snapper {
 public:
  /// A place further than this from all streets isn't in the city.
  static constexpr double kMaxDistanceM = 500;

  explicit Snapper(const RoadGraph& graph);

  /// The nearest place on a street. INVALID_ARGUMENT for coordinates that don't exist; NOT_FOUND,
  /// with the distance, if the nearest street is more than `max_distance_m` away.
  absl::StatusOr<SnappedPoint> Snap(LatLng place, StreetUse use = StreetUse::kDrive,
                                    double max_distance_m = kMaxDistanceM) const;

  /// The same where an error's text would be of no use: nullopt instead.
  std::optional<SnappedPoint> Nearest(LatLng place, StreetUse use = StreetUse::kDrive,
                                      double max_distance_m = kMaxDistanceM) const;

  /// The same for each of many, in their order: several times as fast, as memory is asked for the
  /// next ones while it is searched for one.
  std::vector<std::optional<SnappedPoint>> NearestOfEach(
      std::span<const LatLng> places, StreetUse use = StreetUse::kDrive,
      double max_distance_m = kMaxDistanceM) const;

  /// The nearest place on each street within `distance_m` of `place`, in no order; of a two-way
  /// street one direction.
  std::vector<SnappedPoint> Within(LatLng place, double distance_m) const;

 private:
  /// A segment's ends on the map's plane.
  struct Segment {
    LatLng a, b;
    EdgeIndex edge;
    bool may_stop;
  };
  struct Search;

  /// Four segments of a cell, with their ends, so that a cell is read without touching the graph.
  /// Where a cell has fewer, the last one is repeated.
  struct Block {
    Int4 a_lat_e7, a_lng_e7, b_lat_e7, b_lng_e7;
    Int4 may_stop;  // All bits set, or none.
    EdgeIndex edge[4];

    void Set(int lane, const Segment& segment);
    Segment At(int lane) const;
  };

  /// The map's plane has its longitudes relative to the middle of the graph, so that differences
  /// between them are right on both sides of the antimeridian.
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
