#pragma once

#include <vector>

#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// An order of the nodes of `graph` whose contraction gives a Hierarchy with few arcs and little
/// height.
///
/// Nodes with at most two neighbours come first, because contracting them adds no more arcs than it
/// removes: dead ends, and points that only give a street its shape. They are contracted in rounds,
/// each without two neighbouring nodes, so that a street with n points adds log n to the height.
/// The remaining nodes, all with three or more neighbours, are ordered by nested dissection.
///
/// Depends only on the geometry of the streets, not on speeds or directions of travel.
/// Deterministic.
std::vector<NodeIndex> FindContractionOrder(const RoadGraph& graph);

}  // namespace ridestream::roads
