#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ridestream::roads {

/// An undirected graph as adjacency arrays: each edge appears once in each direction. The arcs of
/// node v are first[v] to first[v + 1] - 1.
struct UndirectedGraph {
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> heads;
  std::vector<std::uint32_t> reverse;  ///< Of each arc, the index of the same edge's other one.

  std::uint32_t node_count() const { return static_cast<std::uint32_t>(first.size() - 1); }
};

/// Maximum flow where each edge has capacity one, and thereby the minimum cut by number of edges:
/// E. Dinic, "Algorithm for solution of a problem of maximum flow in networks with power
/// estimation", 1970. An object is reused for one computation after another. Not thread-safe.
class UnitFlow {
 public:
  enum class Role : std::uint8_t { kNone, kSource, kSink };

  /// Finds a minimum cut between all sources and all sinks, and returns its number of edges.
  /// Returns more than `limit` if there is no cut of at most `limit` edges; the sides are then
  /// undefined.
  std::uint32_t Cut(const UndirectedGraph& graph, std::span<const Role> roles, std::uint32_t limit);

  /// Whether `node` is on the sources' side of the last cut.
  bool IsOnSourceSide(std::uint32_t node) const { return level_[node] != kUnseen; }

 private:
  static constexpr std::uint32_t kUnseen = ~std::uint32_t{0};

  bool FindLevels(const UndirectedGraph& graph, std::span<const Role> roles);
  bool Augment(const UndirectedGraph& graph, std::span<const Role> roles, std::uint32_t source);

  std::vector<std::int8_t> room_;     // of each arc: 0 to 2 units
  std::vector<std::uint32_t> level_;  // of each node: its distance from the sources
  std::vector<std::uint32_t> next_;   // of each node: the next arc to try
  std::vector<std::uint32_t> queue_;
  std::vector<std::uint32_t> path_;
};

}  // namespace ridestream::roads
