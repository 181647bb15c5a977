#pragma once

#include <vector>

#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// The U-turns that would evade the graph's turn restrictions (see TurnGraph), as forbidden paths.
std::vector<EdgePath> FindForbiddenUTurns(const RoadGraph& graph);

}  // namespace ridestream::roads
