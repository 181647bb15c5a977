#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// What of a graph its preparation depends on: its points, its streets and its turn restrictions.
/// Names and speeds don't count. FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo), in 64 bits.
std::uint64_t Fingerprint(const RoadGraph& graph);

/// Keeps a prepared graph: the order in which to contract its nodes. That is what takes long to
/// find; a Hierarchy is built from it in less time than from a file ten times as large. The file
/// replaces an older one in one step. UNAVAILABLE if it can't be written.
absl::Status SavePrepared(const std::string& path, const RoadGraph& graph,
                          std::span<const NodeIndex> node_order);

/// Reads it. NOT_FOUND if there is no such file, UNAVAILABLE if it can't be read, INVALID_ARGUMENT
/// if it is something else or of another version, DATA_LOSS if it is damaged, FAILED_PRECONDITION
/// if it was made for another graph; the message says which.
absl::StatusOr<std::vector<NodeIndex>> LoadPrepared(const std::string& path,
                                                    const RoadGraph& graph);

}  // namespace ridestream::roads
