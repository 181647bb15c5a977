#pragma once

#include <vector>

#include "libs/roads/graph/road_graph.h"
#include "ridestream/market/v1/market.pb.h"

namespace ridestream::trip {

/// The streets of a graph as lines for drawing, each as long as possible: segments with the same
/// name, similar speed and the same direction of travel are joined where they continue straight
/// ahead. Every segment is in exactly one line. The two directions of a two-way street are one
/// segment.
std::vector<market::v1::Street> MakeStreetLines(const roads::RoadGraph& graph);

/// The same, in messages of about `max_bytes` at most, but at least one street each.
std::vector<market::v1::GetStreetsResponse> PackStreets(std::vector<market::v1::Street> streets,
                                                        size_t max_bytes);

}  // namespace ridestream::trip
