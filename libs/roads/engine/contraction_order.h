#pragma once

#include <vector>

#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// The nodes of `graph` in an order in which to contract them to a Hierarchy of few arcs and little
/// height.
///
/// First those with at most two neighbours, as that adds no more arcs than it takes away: dead ends
/// and the points that give a street its shape, in rounds of which each takes no two neighbours, so
/// that a street of n points adds log n to the height. Then, when all have three or more, by nested
/// dissection.
///
/// Depends on the streets' course only, neither on speeds nor on directions of travel. The same for
/// the same graph.
std::vector<NodeIndex> FindContractionOrder(const RoadGraph& graph);

}  // namespace ridestream::roads
