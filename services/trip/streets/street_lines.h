#pragma once

#include <vector>

#include "libs/roads/graph/road_graph.h"
#include "ridestream/market/v1/market.pb.h"

namespace ridestream::trip {

/// The streets of a graph as lines for drawing, each as long as it can be: pieces of one name, of a
/// similar speed and the same direction of travel are joined where they go on straight ahead. Every
/// piece is in one line; the two directions of a two-way street are one piece.
std::vector<market::v1::Street> MakeStreetLines(const roads::RoadGraph& graph);

/// The same, in messages of at most about `max_bytes` (but one street at least).
std::vector<market::v1::GetStreetsResponse> PackStreets(std::vector<market::v1::Street> streets,
                                                        size_t max_bytes);

}  // namespace ridestream::trip
