#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "libs/roads/hierarchy.h"
#include "libs/roads/metric.h"
#include "libs/roads/route.h"

namespace ridestream::roads {

/// The times between a place and its ancestors: from the place up to each of them (over a metric's
/// up(), starting at the place's exits), or from each of them down to the place (over its down(),
/// starting at the place's entries).
///
/// All accesses of a place lie on one path to the root, see Hierarchy, so one climb along it serves
/// all, and an ancestor's depth is its index.
struct Climb {
  /// The lowest access; kNoRank if there is none.
  Rank base = kNoRank;
  /// Of the ancestors by their depth, the base last; kInfinityMs if there is no way.
  std::vector<std::uint32_t> ms;

  void Run(const Hierarchy& hierarchy, const Metric::SearchArcs& arcs, const AccessList& accesses) {
    Start(hierarchy, accesses);
    std::size_t depth = ms.size();
    for (Rank node = base; node != kNoRank; node = arcs.nodes[node].parent) {
      const std::uint32_t here = ms[--depth];
      if (here == Metric::kInfinityMs) continue;
      for (const Metric::SearchArc arc : arcs.Of(node)) {
        ms[arc.head_depth] = std::min(ms[arc.head_depth], here + arc.ms);
      }
    }
  }

  /// `ms` with the accesses alone.
  void Start(const Hierarchy& hierarchy, const AccessList& accesses) {
    base = kNoRank;
    for (const Access& access : accesses) base = std::min(base, hierarchy.rank(access.state));
    ms.assign(base == kNoRank ? 0 : hierarchy.depth(base) + 1, Metric::kInfinityMs);
    for (const Access& access : accesses) {
      std::uint32_t& at = ms[hierarchy.depth(hierarchy.rank(access.state))];
      at = std::min(at, access.ms);
    }
  }
};

/// A climb that remembers its ways.
struct TracedClimb : Climb {
  struct Step {
    std::uint32_t arc;
    Rank low;  // kNoRank: an access
  };
  std::vector<Step> last;  // by depth, the step that came there

  void Run(const Hierarchy& hierarchy, const Metric::SearchArcs& arcs, const AccessList& accesses) {
    Start(hierarchy, accesses);
    last.assign(ms.size(), Step{0, kNoRank});
    for (Rank node = base; node != kNoRank; node = hierarchy.parent(node)) {
      const std::uint32_t here = ms[hierarchy.depth(node)];
      if (here == Metric::kInfinityMs) continue;
      for (std::uint32_t arc = arcs.nodes[node].first; arc < arcs.nodes[node + 1].first; ++arc) {
        const std::uint32_t depth = arcs.arcs[arc].head_depth;
        const std::uint32_t there = here + arcs.arcs[arc].ms;
        if (there >= ms[depth]) continue;
        ms[depth] = there;
        last[depth] = {arcs.in_hierarchy[arc], node};
      }
    }
  }

  /// The steps between an access and the ancestor of this depth, the highest first. `depth` becomes
  /// the access's.
  std::vector<Step> StepsTo(const Hierarchy& hierarchy, std::uint32_t& depth) const {
    std::vector<Step> steps;
    while (last[depth].low != kNoRank) {
      steps.push_back(last[depth]);
      depth = hierarchy.depth(last[depth].low);
    }
    return steps;
  }
};

/// The least time up one climb and down the other, by way of a common ancestor.
inline std::uint32_t Meet(const Hierarchy& hierarchy, const Climb& up, const Climb& down) {
  if (up.base == kNoRank || down.base == kNoRank) return kUnreachableMs;
  const std::uint32_t common = hierarchy.CommonAncestors(up.base, down.base);
  // As signed numbers, which SSE2 can compare: the compiler finds four at a time.
  std::int32_t best = 2 * Metric::kInfinityMs;
  for (std::uint32_t depth = 0; depth < common; ++depth) {
    best = std::min(best, static_cast<std::int32_t>(up.ms[depth] + down.ms[depth]));
  }
  const auto ms = static_cast<std::uint32_t>(best);
  return ms <= kMaxDriveMs ? ms : kUnreachableMs;
}

}  // namespace ridestream::roads
