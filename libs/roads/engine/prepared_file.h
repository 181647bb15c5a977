#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// A hash of what a graph's preparation depends on: its points, streets and turn restrictions, but
/// not names and speeds. FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo), 64 bits.
std::uint64_t Fingerprint(const RoadGraph& graph);

/// Saves the preparation of a graph: the order in which to contract its nodes, which takes long to
/// compute. A Hierarchy is built from it faster than it could be read from a file ten times as
/// large. Replaces an older file atomically. UNAVAILABLE if the file can't be written.
absl::Status SavePrepared(const std::string& path, const RoadGraph& graph,
                          std::span<const NodeIndex> node_order);

/// Loads it. NOT_FOUND if there is no such file, UNAVAILABLE if it can't be read, INVALID_ARGUMENT
/// if it has another format or version, DATA_LOSS if it is damaged, FAILED_PRECONDITION if it was
/// made for another graph. The message has the details.
absl::StatusOr<std::vector<NodeIndex>> LoadPrepared(const std::string& path,
                                                    const RoadGraph& graph);

}  // namespace ridestream::roads
