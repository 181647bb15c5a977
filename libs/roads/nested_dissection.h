#pragma once

#include <vector>

#include "libs/roads/road_graph.h"

namespace ridestream::roads {

/// The nodes of `graph` in an order in which to contract them: cut the map in two by as few
/// junctions as possible; these come last; before them each half, in an order found likewise (A.
/// George, "Nested Dissection of a Regular Finite Element Mesh", 1973). Cuts are found by inertial
/// flow (A. Schild and C. Sommer, "On Balanced Separators in Road Networks", 2015): along each of
/// some directions, the foremost quarter of the nodes is parted from the hindmost by a least cut.
///
/// Depends on the streets' course only, neither on speeds nor on directions of travel. The same for
/// the same graph.
std::vector<NodeIndex> NestedDissection(const RoadGraph& graph);

}  // namespace ridestream::roads
