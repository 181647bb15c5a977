#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "libs/roads/graph/road_graph.h"
#include "libs/roads/graph/turn_graph.h"

namespace ridestream::roads {

/// A node of a Hierarchy, which is a state of the turn graph. It is contracted before its higher
/// neighbours.
using Rank = std::uint32_t;
inline constexpr Rank kNoRank = std::numeric_limits<Rank>::max();

/// The part of a customizable contraction hierarchy that doesn't depend on speeds (J. Dibbelt, B.
/// Strasser and D. Wagner, "Customizable Contraction Hierarchies", 2016). The states are contracted
/// in a given order; contracting a state joins all its higher neighbours by arcs. Each arc stands
/// for both directions of travel.
///
/// The lowest higher neighbour of a node is its parent in the elimination tree, and all its higher
/// neighbours are its ancestors. So an ancestor is identified by its depth in the tree, and a query
/// touches only two paths to the root. Nodes are numbered in a postorder of the tree: a node's
/// descendants have the numbers just before its own.
///
/// All states at both ends of a street lie on one path to the root.
///
/// Immutable, hence safe to read from any thread.
class Hierarchy {
 public:
  /// `node_order` contains each node of the road graph once, in the order of contraction.
  Hierarchy(const TurnGraph& turns, std::span<const NodeIndex> node_order);

  std::size_t node_count() const { return state_.size(); }
  std::size_t arc_count() const { return head_.size(); }

  Rank rank(StateIndex state) const { return rank_[state]; }
  StateIndex state(Rank node) const { return state_[node]; }

  /// kNoRank for a root.
  Rank parent(Rank node) const { return parent_[node]; }
  /// 0 for a root.
  std::uint32_t depth(Rank node) const { return depth_[node]; }
  /// The largest depth of all nodes, plus one.
  std::uint32_t height() const { return height_; }

  /// The arcs from `node` to its higher neighbours are first(node) to first(node + 1) - 1, in
  /// ascending order of these.
  std::uint32_t first(Rank node) const { return first_[node]; }
  Rank head(std::uint32_t arc) const { return head_[arc]; }
  /// The arc from `low` to `high`; it must exist.
  std::uint32_t FindArc(Rank low, Rank high) const;

  /// The edge of the road graph that an arc stands for, upward or downward; kNoEdge if it only
  /// stands for paths through lower nodes.
  EdgeIndex up_edge(std::uint32_t arc) const { return up_edge_[arc]; }
  EdgeIndex down_edge(std::uint32_t arc) const { return down_edge_[arc]; }

 private:
  void Contract(const TurnGraph& turns);
  void Number(const std::vector<std::vector<Rank>>& higher);
  void PlaceEdges(const TurnGraph& turns);
  void MeasureTree();

  std::vector<Rank> rank_;
  std::vector<StateIndex> state_;
  std::vector<std::uint32_t> first_;
  std::vector<Rank> head_;
  std::vector<EdgeIndex> up_edge_;
  std::vector<EdgeIndex> down_edge_;
  std::vector<Rank> parent_;
  std::vector<std::uint16_t> depth_;
  std::uint32_t height_ = 0;
};

}  // namespace ridestream::roads
