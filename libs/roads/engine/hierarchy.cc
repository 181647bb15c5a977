#include "libs/roads/engine/hierarchy.h"

#include <algorithm>
#include <utility>

namespace ridestream::roads {
namespace {

using Neighbours = std::vector<std::vector<Rank>>;

/// The higher neighbours of each node before the contraction. Besides nodes joined by edges, all
/// states at both ends of each edge become neighbours, so that they lie on one path.
Neighbours HigherNeighbours(const TurnGraph& turns, std::span<const Rank> rank) {
  Neighbours higher(turns.state_count());
  const auto join = [&](StateIndex a, StateIndex b) {
    if (a != b) higher[std::min(rank[a], rank[b])].push_back(std::max(rank[a], rank[b]));
  };
  const RoadGraph& graph = turns.graph();
  for (NodeIndex node = 0; node < graph.node_count(); ++node) {
    turns.ForEachState(node, [&](StateIndex from) {
      turns.ForEachState(node, [&](StateIndex other) { join(from, other); });
      for (const Edge& e : graph.OutEdges(node)) {
        turns.ForEachState(e.to, [&](StateIndex to) { join(from, to); });
      }
    });
  }
  for (std::vector<Rank>& list : higher) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  return higher;
}

}  // namespace

Hierarchy::Hierarchy(const TurnGraph& turns, std::span<const NodeIndex> node_order) {
  rank_.resize(turns.state_count());
  for (const NodeIndex node : node_order) {
    turns.ForEachState(node, [&](StateIndex state) {
      rank_[state] = static_cast<Rank>(state_.size());
      state_.push_back(state);
    });
  }
  Contract(turns);
  MeasureTree();
  PlaceEdges(turns);
}

/// Contracting a node makes its higher neighbours each other's neighbours. It is enough to hand
/// them on to the lowest of them, which does the same in its turn.
void Hierarchy::Contract(const TurnGraph& turns) {
  Neighbours higher = HigherNeighbours(turns, rank_);
  std::vector<Rank> merged;
  for (const std::vector<Rank>& list : higher) {
    if (list.empty()) continue;
    std::vector<Rank>& parents = higher[list.front()];
    merged.clear();
    std::set_union(list.begin() + 1, list.end(), parents.begin(), parents.end(),
                   std::back_inserter(merged));
    parents.assign(merged.begin(), merged.end());
  }
  Number(higher);
}

/// Renumbers the nodes by a postorder of the elimination tree: the hierarchy is unchanged, but
/// nodes on one path to the root are adjacent in memory.
void Hierarchy::Number(const Neighbours& higher) {
  const auto count = static_cast<Rank>(higher.size());
  std::vector<Rank> subtree(count, 1);  // its number of nodes
  Rank roots_end = 0;
  for (Rank node = 0; node < count; ++node) {
    if (!higher[node].empty()) subtree[higher[node].front()] += subtree[node];
  }
  std::vector<Rank> number(count);
  std::vector<Rank> next(count);  // the first number that the node's further children get
  for (Rank node = count; node-- > 0;) {
    Rank& begin = higher[node].empty() ? roots_end : next[higher[node].front()];
    next[node] = begin;
    begin += subtree[node];
    number[node] = begin - 1;
  }

  std::vector<Rank> old(count);
  for (Rank node = 0; node < count; ++node) old[number[node]] = node;
  for (Rank& rank : rank_) rank = number[rank];
  for (StateIndex state = 0; state < count; ++state) state_[rank_[state]] = state;
  for (const Rank node : old) {
    first_.push_back(static_cast<std::uint32_t>(head_.size()));
    // All are ancestors, and ancestors are ordered by depth, so they stay sorted.
    for (const Rank head : higher[node]) head_.push_back(number[head]);
  }
  first_.push_back(static_cast<std::uint32_t>(head_.size()));
}

void Hierarchy::MeasureTree() {
  parent_.assign(node_count(), kNoRank);
  depth_.assign(node_count(), 0);
  for (Rank node = static_cast<Rank>(node_count()); node-- > 0;) {
    if (first_[node] < first_[node + 1]) {
      parent_[node] = head_[first_[node]];
      depth_[node] = static_cast<std::uint16_t>(depth_[parent_[node]] + 1);
    }
    height_ = std::max(height_, depth_[node] + 1U);
  }
}

void Hierarchy::PlaceEdges(const TurnGraph& turns) {
  up_edge_.assign(arc_count(), kNoEdge);
  down_edge_.assign(arc_count(), kNoEdge);
  for (StateIndex from = 0; from < turns.state_count(); ++from) {
    for (const TurnGraph::Arc& arc : turns.Arcs(from)) {
      const Rank a = rank_[from];
      const Rank b = rank_[arc.head];
      (a < b ? up_edge_ : down_edge_)[FindArc(std::min(a, b), std::max(a, b))] = arc.edge;
    }
  }
}

std::uint32_t Hierarchy::FindArc(Rank low, Rank high) const {
  const auto begin = head_.begin() + first_[low];
  const auto end = head_.begin() + first_[low + 1];
  return static_cast<std::uint32_t>(std::lower_bound(begin, end, high) - head_.begin());
}

}  // namespace ridestream::roads
