#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libs/roads/engine/hierarchy.h"
#include "libs/roads/graph/timing.h"

namespace ridestream::roads {

/// The times of a Hierarchy's arcs at some speeds: the part that is customized when these change.
/// Immutable, so safe to read from any thread.
class Metric {
 public:
  /// No way. Two of them can be added in 31 bits.
  static constexpr std::uint32_t kInfinityMs = kMaxDriveMs + 1;

  /// To the ancestor of this depth.
  struct SearchArc {
    std::uint32_t ms;
    std::uint16_t head_depth;
  };
  /// The arcs from each node to higher neighbours that a search needs, in one direction of travel:
  /// those that are a quickest way.
  struct SearchArcs {
    /// What a search wants to know of a node lies side by side, since it is limited by how fast
    /// memory answers.
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

  /// `edge_ms` as in Timing. Takes each lower triangle once (Dibbelt, Strasser and Wagner's basic
  /// customization): an arc's time becomes the least over all ways through lower nodes. Then once
  /// more from above (their perfect customization), to find the arcs than which another way is
  /// quicker: no quickest way needs them.
  Metric(const Hierarchy& hierarchy, std::vector<std::uint32_t> edge_ms);

  std::span<const std::uint32_t> edge_ms() const { return edge_ms_; }
  const SearchArcs& up() const { return up_; }
  const SearchArcs& down() const { return down_; }

  /// Appends the edges of the road graph that the quickest way along an arc is made of, upward or
  /// downward. It must have a time.
  void UnpackUp(std::uint32_t arc, Rank low, EdgePath& path) const;
  void UnpackDown(std::uint32_t arc, Rank low, EdgePath& path) const;

 private:
  void Customize();
  void FindSearchArcs();

  const Hierarchy& hierarchy_;
  const std::vector<std::uint32_t> edge_ms_;
  std::vector<std::uint32_t> up_ms_;
  std::vector<std::uint32_t> down_ms_;
  // The lower node that an arc's quickest way goes through, kNoRank if it is an edge.
  std::vector<Rank> up_via_;
  std::vector<Rank> down_via_;
  SearchArcs up_;
  SearchArcs down_;
};

}  // namespace ridestream::roads
