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

/// As an edge's time: it can't be driven along.
inline constexpr std::uint32_t kClosedMs = std::numeric_limits<std::uint32_t>::max();

/// A drive that takes longer, about 12 days, is none.
inline constexpr std::uint32_t kMaxDriveMs = Edge::kMaxDurationMs;

/// The inputs of a drive's time: the allowed ways, and how long each edge takes, in milliseconds: 1
/// to Edge::kMaxDurationMs, or kClosedMs. A view.
struct Timing {
  const TurnGraph& turns;
  std::span<const std::uint32_t> edge_ms;

  const RoadGraph& graph() const { return turns.graph(); }
};

/// The time of each edge as stated by the graph.
inline std::vector<std::uint32_t> GraphDurations(const RoadGraph& graph) {
  std::vector<std::uint32_t> edge_ms;
  edge_ms.reserve(graph.edge_count());
  for (const Edge& e : graph.edges()) edge_ms.push_back(e.duration_ms);
  return edge_ms;
}

}  // namespace ridestream::roads
