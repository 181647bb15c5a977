#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "libs/roads/graph/timing.h"

namespace ridestream::roads {

/// A graph to search, reduced to what the search uses: the arcs of node v are arcs[first[v]] to
/// arcs[first[v + 1] - 1]. Its nodes are a TurnGraph's states.
struct SearchGraph {
  struct Arc {
    StateIndex head;
    std::uint32_t duration_ms;
  };
  std::vector<std::uint32_t> first;
  std::vector<Arc> arcs;
};

/// Dijkstra's algorithm with a 4-ary heap and lazy deletion. An object is reused for one search
/// after another: labels carry the number of their search, so nothing needs to be cleared.
///
/// Not thread-safe; use one for each thread.
class DijkstraSearch {
 public:
  static constexpr std::uint32_t kUnreached = kUnreachableMs;
  static constexpr std::uint32_t kNoArc = std::numeric_limits<std::uint32_t>::max();
  /// The largest distance in milliseconds. Adding an edge to it still fits into 32 bits.
  static constexpr std::uint32_t kMaxMs = kMaxDriveMs;

  /// Begins a new search in a graph of `node_count` nodes.
  void Start(std::size_t node_count) {
    if (labels_.size() < node_count) labels_.resize(node_count);
    heap_.clear();
    if (++search_ == 0) {
      std::fill(labels_.begin(), labels_.end(), Label{});
      search_ = 1;
    }
  }

  /// Adds a start node at the distance `ms`, at most kMaxMs.
  void AddStart(StateIndex node, std::uint32_t ms) { Reach(node, ms, kNoArc); }

  /// Marks `node`. Returns false if it was already marked.
  bool Mark(StateIndex node) {
    Label& label = Touch(node);
    const bool fresh = !label.marked;
    label.marked = true;
    return fresh;
  }
  bool marked(StateIndex node) const { return IsTouched(node) && labels_[node].marked; }

  /// Settles nodes by ascending distance up to `limit_ms` (at most kMaxMs), and calls `settle(node,
  /// ms)` for each. Ends when that returns false.
  template <class Settle>
  void Run(const SearchGraph& graph, std::uint32_t limit_ms, Settle settle) {
    while (!heap_.empty()) {
      const Entry top = Pop();
      if (top.ms > limit_ms) return;
      if (top.ms > labels_[top.node].ms) continue;  // The node was reached sooner by another path.
      if (!settle(top.node, top.ms)) return;
      for (std::uint32_t i = graph.first[top.node]; i < graph.first[top.node + 1]; ++i) {
        const std::uint32_t ms = top.ms + graph.arcs[i].duration_ms;
        if (ms <= limit_ms) Reach(graph.arcs[i].head, ms, i);
      }
    }
  }

  /// The distance found so far, which is final once the node is settled; kUnreached if there is
  /// none.
  std::uint32_t ms(StateIndex node) const {
    return IsTouched(node) ? labels_[node].ms : kUnreached;
  }
  /// The arc by which `node` was reached; kNoArc for a start. The node must have been reached.
  std::uint32_t arc(StateIndex node) const { return labels_[node].arc; }

 private:
  struct Label {
    std::uint32_t search = 0;
    std::uint32_t ms = kUnreached;
    std::uint32_t arc = kNoArc;
    bool marked = false;
  };
  struct Entry {
    std::uint32_t ms;
    StateIndex node;
  };

  bool IsTouched(StateIndex node) const { return labels_[node].search == search_; }

  Label& Touch(StateIndex node) {
    Label& label = labels_[node];
    if (label.search != search_) label = Label{search_};
    return label;
  }

  void Reach(StateIndex node, std::uint32_t ms, std::uint32_t arc) {
    Label& label = Touch(node);
    if (ms >= label.ms) return;
    label.ms = ms;
    label.arc = arc;
    Push({ms, node});
  }

  void Push(Entry entry) {
    std::size_t at = heap_.size();
    heap_.push_back(entry);
    while (at > 0) {
      const std::size_t parent = (at - 1) / 4;
      if (heap_[parent].ms <= entry.ms) break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = entry;
  }

  Entry Pop() {
    const Entry top = heap_.front();
    const Entry last = heap_.back();
    heap_.pop_back();
    const std::size_t size = heap_.size();
    if (size == 0) return top;
    std::size_t at = 0;
    for (std::size_t child = 1; child < size; child = 4 * at + 1) {
      const std::size_t end = std::min(child + 4, size);
      std::size_t least = child;
      for (std::size_t i = child + 1; i < end; ++i) {
        if (heap_[i].ms < heap_[least].ms) least = i;
      }
      if (heap_[least].ms >= last.ms) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = last;
    return top;
  }

  std::uint32_t search_ = 0;
  std::vector<Label> labels_;
  std::vector<Entry> heap_;
};

}  // namespace ridestream::roads
