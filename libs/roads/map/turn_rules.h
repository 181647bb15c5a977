#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/roads/map/turn_restriction.h"

namespace ridestream::roads {

/// In a course: a point that isn't in the graph, as beyond the cut edge of an extract.
inline constexpr NodeIndex kNoNode = std::numeric_limits<NodeIndex>::max();

/// A way of the map as it lies in a graph: its points in order.
using WayCourses = absl::flat_hash_map<std::int64_t, std::vector<NodeIndex>>;

/// A turn restriction and its via node in a graph; nullopt if the node isn't in the graph.
struct PlacedRestriction {
  TurnRestriction restriction;
  std::optional<NodeIndex> via_node;
};

/// Converts a map's turn restrictions to the terms of `graph`. `courses` contains the ways that
/// they name, as far as they are streets of the graph. Each restriction is counted in `counts`.
std::vector<EdgePath> FindForbiddenPaths(const RoadGraph& graph, const WayCourses& courses,
                                         std::span<const PlacedRestriction> restrictions,
                                         RestrictionCounts& counts);

}  // namespace ridestream::roads
