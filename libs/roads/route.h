#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/roads/road_graph.h"
#include "libs/roads/snap.h"

namespace ridestream::roads {

/// A way along the streets, from a place on a street to a place on a street.
struct Route {
  /// Its course. One point alone if it ends where it starts, never none.
  std::vector<LatLng> points;
  /// The travel time of each straight piece: points.size() - 1 entries, whose sum is `duration`.
  std::vector<std::uint32_t> leg_ms;
  double length_m = 0;
  Duration duration{0};
};

// What every routing engine needs around its search between nodes: the pieces of streets at both
// ends. All times are whole milliseconds, so that every engine finds exactly the same ones.

/// The drive between a place on a street and a node of the graph.
struct Access {
  NodeIndex node = 0;
  std::uint32_t ms = 0;
  double length_dm = 0;
};
using AccessList = absl::InlinedVector<Access, 2>;

/// The nodes at which a drive from `place` enters the graph: one on a one-way street, two on a
/// two-way street. At the very start of a one-way street: the node there.
AccessList Exits(const RoadGraph& graph, const SnappedPoint& place);

/// The nodes from which a drive reaches `place`.
AccessList Entries(const RoadGraph& graph, const SnappedPoint& place);

/// The time along one street's segment, if both places are on the same one and its direction
/// allows it. The shortest way may still be another one.
std::optional<std::uint32_t> DirectMs(const RoadGraph& graph, const SnappedPoint& from,
                                      const SnappedPoint& to);

/// The route that stays on one segment; DirectMs must have a value.
Route MakeDirectRoute(const RoadGraph& graph, const SnappedPoint& from, const SnappedPoint& to);

/// The route from `from` by `exit`, along `path`, which leads from exit.node to entry.node, and by
/// `entry` to `to`.
Route MakeRoute(const RoadGraph& graph, const SnappedPoint& from, const Access& exit,
                std::span<const EdgeIndex> path, const Access& entry, const SnappedPoint& to);

}  // namespace ridestream::roads
