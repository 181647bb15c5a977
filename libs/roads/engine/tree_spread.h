#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "libs/roads/engine/climb.h"
#include "libs/roads/engine/hierarchy.h"
#include "libs/roads/engine/metric.h"
#include "libs/roads/engine/route.h"

namespace ridestream::roads {

/// The times between one place and many others (a row): the times that a Climb found for the
/// place's ancestors are handed down the elimination tree, but only to ancestors of the other
/// places, and to each node once. The other places are processed in the tree's order, so that only
/// the times on the path to the latest place are kept. An object is reused for one row after
/// another. Not thread-safe.
class TreeSpread {
 public:
  /// Begins a row. `arcs` are a metric's up() if `climb` leads down to the place, or its down() if
  /// `climb` leads up from it. The hierarchy and the arcs must stay valid until the end of the row.
  void Start(const Hierarchy& hierarchy, const Metric::SearchArcs& arcs, const Climb& climb) {
    hierarchy_ = &hierarchy;
    arcs_ = &arcs;
    ms_.resize(hierarchy.height());
    places_.clear();
    ends_.clear();
    way_.clear();
    origin_ = climb.path;
    origin_ms_ = climb.ms;
    for (std::size_t depth = 0; depth < origin_.size(); ++depth) {
      origin_ms_[depth] = Least(origin_[depth], origin_ms_, origin_ms_[depth]);
    }
  }

  /// Adds a place with these accesses.
  void Add(const AccessList& accesses) {
    places_.push_back({kNoRank, 0, static_cast<std::uint32_t>(places_.size()),
                       static_cast<std::uint32_t>(ends_.size()),
                       static_cast<std::uint32_t>(accesses.size())});
    for (const Access& access : accesses) ends_.push_back({access.state, 0, access.ms});
  }

  /// Ends the row. `row` contains the time of another path for each place, in the order of Add, or
  /// kUnreachableMs; it becomes the shorter one.
  void Finish(std::span<std::uint32_t> row) {
    SortPlaces();
    FetchNodes();
    if (!places_.empty()) ClimbFrom(0, way_);
    for (std::size_t i = 0; i < places_.size(); ++i) {
      // Prefetches one place ahead, so that the arcs are in the cache when they are needed.
      next_way_.clear();
      if (i + 1 < places_.size()) ClimbFrom(i + 1, next_way_);
      const Place& place = places_[i];
      HandDown(way_, place.depth);
      way_.swap(next_way_);
      std::uint32_t best = kUnreachableMs;
      for (const End& end : EndsOf(place)) best = std::min(best, ms_[end.depth] + end.ms);
      if (best <= kMaxDriveMs) row[place.index] = std::min(row[place.index], best);
    }
  }

 private:
  struct End {           // one of a place's accesses
    std::uint32_t node;  // At first its state, then its rank.
    std::uint32_t depth;
    std::uint32_t ms;
  };
  struct Place {
    Rank base;  // The lowest access, a descendant of all others; kNoRank if there is none.
    std::uint32_t depth;  // The depth of `base`.
    std::uint32_t index;
    std::uint32_t first_end;
    std::uint32_t end_count;
  };

  struct Way {
    Rank node;
    Rank limit;
  };

  std::span<const End> EndsOf(const Place& place) const {
    return std::span(ends_).subspan(place.first_end, place.end_count);
  }

  /// Finds the bases and sorts by them: a node's number is greater than those of its descendants.
  /// In separate loops, so that the processor overlaps many memory accesses.
  void SortPlaces() {
    for (End& end : ends_) end.node = hierarchy_->rank(end.node);
    for (End& end : ends_) end.depth = hierarchy_->depth(end.node);
    for (Place& place : places_) {
      for (const End& end : EndsOf(place)) {
        if (end.node >= place.base) continue;
        place.base = end.node;
        place.depth = end.depth;
      }
    }
    std::sort(places_.begin(), places_.end(),
              [](const Place& a, const Place& b) { return a.base > b.base; });
  }

  /// The first number that the paths up from a place stop before. For two neighbouring places in
  /// the order, exactly the ancestors of the second with smaller numbers are no ancestors of the
  /// first.
  Rank LimitOf(std::size_t place) const { return place == 0 ? kNoRank : places_[place - 1].base; }

  /// Walks all paths upwards, one step of each in turn: one path after another would wait for
  /// memory at each step.
  void FetchNodes() {
    ways_.clear();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].base < LimitOf(i)) ways_.push_back({places_[i].base, LimitOf(i)});
    }
    while (!ways_.empty()) {
      std::size_t unfinished = 0;
      for (const Way way : ways_) {
        const Rank next = arcs_->nodes[way.node].parent;
        if (next < way.limit) ways_[unfinished++] = {next, way.limit};
      }
      ways_.resize(unfinished);
    }
  }

  /// The minimum of `known` and the paths via the ancestors of `node`, whose times by depth are
  /// `ms`.
  std::uint32_t Least(Rank node, std::span<const std::uint32_t> ms, std::uint32_t known) const {
    for (const Metric::SearchArc arc : arcs_->Of(node)) {
      known = std::min(known, ms[arc.head_depth] + arc.ms);
    }
    return known;
  }

  void ClimbFrom(std::size_t place, std::vector<Rank>& way) const {
    const Rank limit = LimitOf(place);
    for (Rank node = places_[place].base; node < limit; node = arcs_->nodes[node].parent) {
      __builtin_prefetch(arcs_->arcs.data() + arcs_->nodes[node].first);
      way.push_back(node);
    }
  }

  /// Hands times down a path that ends at `depth`. The nodes above were processed before.
  void HandDown(std::span<const Rank> way, std::uint32_t depth) {
    depth -= static_cast<std::uint32_t>(way.size());
    for (auto node = way.rbegin(); node != way.rend(); ++node) {
      ++depth;
      ms_[depth] = depth < origin_.size() && origin_[depth] == *node
                       ? origin_ms_[depth]
                       : Least(*node, ms_, Metric::kInfinityMs);
    }
  }

  const Hierarchy* hierarchy_ = nullptr;
  const Metric::SearchArcs* arcs_ = nullptr;
  // The row's own place: its ancestors by depth, the base last, and their times.
  std::vector<Rank> origin_;
  std::vector<std::uint32_t> origin_ms_;
  // The times of the nodes on the path to the latest place, by depth.
  std::vector<std::uint32_t> ms_;
  // The nodes on the path to a place, the base first, that aren't on the previous place's path.
  std::vector<Rank> way_;
  std::vector<Rank> next_way_;
  std::vector<Place> places_;
  std::vector<End> ends_;
  std::vector<Way> ways_;
};

}  // namespace ridestream::roads
