#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "libs/roads/climb.h"
#include "libs/roads/hierarchy.h"
#include "libs/roads/metric.h"
#include "libs/roads/route.h"

namespace ridestream::roads {

/// The times between one place and many others: what a Climb found for the place's ancestors is
/// handed down the elimination tree, but only to those nodes that somebody asks for, and to each
/// once. An object is the memory of one row after the other. Not thread-safe.
class TreeSpread {
 public:
  /// Begins a row. `arcs` are a metric's up() if `climb` leads down to the place, its down() if
  /// `climb` leads up from it. Both, and the hierarchy, must stay until the row is done.
  void Start(const Hierarchy& hierarchy, const Metric::SearchArcs& arcs, const Climb& climb) {
    hierarchy_ = &hierarchy;
    arcs_ = &arcs;
    if (nodes_.size() < hierarchy.node_count()) nodes_.resize(hierarchy.node_count());
    if (++row_ == 0) {
      std::fill(nodes_.begin(), nodes_.end(), Node{});
      row_ = 1;
    }
    waiting_.clear();
    for (Rank node = climb.base; node != kNoRank; node = hierarchy.parent(node)) {
      waiting_.push_back(node);
    }
    HandDown([&](Rank node) { return climb.ms[hierarchy.depth(node)]; });
  }

  /// The time between the row's place and another one with these accesses; kUnreachableMs if there
  /// is no way.
  std::uint32_t Ms(const AccessList& accesses) {
    std::uint32_t best = kUnreachableMs;
    for (const Access& access : accesses) {
      const std::uint32_t ms = MsOf(hierarchy_->rank(access.state));
      if (ms <= kMaxDriveMs) best = std::min(best, ms + access.ms);
    }
    return best <= kMaxDriveMs ? best : kUnreachableMs;
  }

 private:
  struct Node {
    std::uint32_t row = 0;  // for which `ms` was found
    std::uint32_t ms = 0;
  };

  std::uint32_t MsOf(Rank node) {
    waiting_.clear();
    for (Rank n = node; n != kNoRank && nodes_[n].row != row_; n = hierarchy_->parent(n)) {
      waiting_.push_back(n);
    }
    HandDown([](Rank) { return Metric::kInfinityMs; });
    return nodes_[node].ms;
  }

  /// Finds the times of the nodes that wait, of which each is an ancestor of those before it.
  template <class Known>
  void HandDown(Known known) {
    for (auto node = waiting_.rbegin(); node != waiting_.rend(); ++node) {
      std::uint32_t ms = known(*node);
      const std::uint32_t end = arcs_->first[*node + 1];
      for (std::uint32_t arc = arcs_->first[*node]; arc < end; ++arc) {
        ms = std::min(ms, nodes_[arcs_->head[arc]].ms + arcs_->ms[arc]);
      }
      nodes_[*node] = {row_, std::min(ms, Metric::kInfinityMs)};
    }
  }

  const Hierarchy* hierarchy_ = nullptr;
  const Metric::SearchArcs* arcs_ = nullptr;
  std::uint32_t row_ = 0;
  std::vector<Node> nodes_;
  std::vector<Rank> waiting_;
};

}  // namespace ridestream::roads
