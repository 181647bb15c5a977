#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libs/roads/engine/hierarchy.h"
#include "libs/roads/graph/timing.h"

namespace ridestream::roads {

/// The durations of a Hierarchy's arcs at given speeds: the part that is customized when speeds
/// change. Immutable, hence safe to read from any thread.
class Metric {
 public:
  /// Unreachable. The sum of two fits into 31 bits.
  static constexpr std::uint32_t kInfinityMs = kMaxDriveMs + 1;

  /// The arc to the ancestor at this depth.
  struct SearchArc {
    std::uint32_t ms;
    std::uint16_t head_depth;
  };
  /// The arcs from each node to its higher neighbours that a search needs in one direction of
  /// travel: those that are quickest paths.
  struct SearchArcs {
    /// What a search needs to know about a node is contiguous, because memory latency limits the
    /// search.
    struct Node {
      Rank parent;          ///< As in the hierarchy.
      std::uint32_t first;  ///< Of its arcs.
    };
    std::vector<Node> nodes;  ///< One more than there are.
    std::vector<SearchArc> arcs;
    std::vector<std::uint32_t> in_hierarchy;  ///< Of each arc, its index there.

    std::span<const SearchArc> Of(Rank node) const {
      return std::span(arcs).subspan(nodes[node].first, nodes[node + 1].first - nodes[node].first);
    }
  };

  /// `edge_ms` as in Timing. Processes each lower triangle once (the basic customization of
  /// Dibbelt, Strasser and Wagner): an arc's duration becomes the minimum over all paths through
  /// lower nodes. A second pass, from above (their perfect customization), finds the arcs for which
  /// another path is quicker: no quickest path needs them.
  Metric(const Hierarchy& hierarchy, std::vector<std::uint32_t> edge_ms);

  std::span<const std::uint32_t> edge_ms() const { return edge_ms_; }
  const SearchArcs& up() const { return up_; }
  const SearchArcs& down() const { return down_; }

  /// Appends the edges of the road graph that form the quickest path along an arc, upward or
  /// downward. The arc must have a finite duration.
  void UnpackUp(std::uint32_t arc, Rank low, EdgePath& path) const;
  void UnpackDown(std::uint32_t arc, Rank low, EdgePath& path) const;

 private:
  void Customize();
  void FindSearchArcs();

  const Hierarchy& hierarchy_;
  const std::vector<std::uint32_t> edge_ms_;
  std::vector<std::uint32_t> up_ms_;
  std::vector<std::uint32_t> down_ms_;
  // The lower node that an arc's quickest path goes through; kNoRank if the path is an edge.
  std::vector<Rank> up_via_;
  std::vector<Rank> down_via_;
  SearchArcs up_;
  SearchArcs down_;
};

}  // namespace ridestream::roads
