#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "libs/roads/graph/road_graph.h"
#include "libs/roads/graph/turn_graph.h"

namespace ridestream::roads {

/// In rows and tables of milliseconds: unreachable.
inline constexpr std::uint32_t kUnreachableMs = std::numeric_limits<std::uint32_t>::max();

/// As an edge's duration: the edge is closed.
inline constexpr std::uint32_t kClosedMs = std::numeric_limits<std::uint32_t>::max();

/// Longer drives, of about 12 days, count as unreachable.
inline constexpr std::uint32_t kMaxDriveMs = Edge::kMaxDurationMs;

/// The inputs of a drive's time: the allowed paths, and each edge's duration in milliseconds: 1 to
/// Edge::kMaxDurationMs, or kClosedMs. A view.
struct Timing {
  const TurnGraph& turns;
  std::span<const std::uint32_t> edge_ms;

  const RoadGraph& graph() const { return turns.graph(); }
};

/// The durations of all edges as the graph states them.
inline std::vector<std::uint32_t> GraphDurations(const RoadGraph& graph) {
  std::vector<std::uint32_t> edge_ms;
  edge_ms.reserve(graph.edge_count());
  for (const Edge& e : graph.edges()) edge_ms.push_back(e.duration_ms);
  return edge_ms;
}

}  // namespace ridestream::roads
