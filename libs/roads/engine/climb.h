#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "libs/base/vector4.h"
#include "libs/roads/engine/hierarchy.h"
#include "libs/roads/engine/metric.h"
#include "libs/roads/engine/route.h"

namespace ridestream::roads {

/// The times between a place and its ancestors in the elimination tree: from the place up to each
/// ancestor (over a metric's up(), starting at the place's exits), or from each ancestor down to
/// the place (over its down(), starting at the place's entries).
///
/// All accesses of a place lie on one path to the root, see Hierarchy, so a single climb serves all
/// of them, and an ancestor's depth is its index.
struct Climb {
  /// The lowest access; kNoRank if there is none.
  Rank base = kNoRank;
  /// The ancestors by their depth, the base last.
  std::vector<Rank> path;
  /// The ancestors' times; kInfinityMs for unreachable ones.
  std::vector<std::uint32_t> ms;

  void Run(const Hierarchy& hierarchy, const Metric::SearchArcs& arcs, const AccessList& accesses) {
    Start(hierarchy, arcs, accesses);
    for (std::size_t depth = path.size(); depth-- > 0;) {
      const std::uint32_t here = ms[depth];
      if (here == Metric::kInfinityMs) continue;
      for (const Metric::SearchArc arc : arcs.Of(path[depth])) {
        ms[arc.head_depth] = std::min(ms[arc.head_depth], here + arc.ms);
      }
    }
  }

  /// Sets the path, and the times of the accesses in `ms`.
  void Start(const Hierarchy& hierarchy, const Metric::SearchArcs& arcs,
             const AccessList& accesses) {
    base = kNoRank;
    for (const Access& access : accesses) base = std::min(base, hierarchy.rank(access.state));
    path.resize(base == kNoRank ? 0 : hierarchy.depth(base) + 1);
    std::size_t depth = path.size();
    for (Rank node = base; node != kNoRank; node = arcs.nodes[node].parent) {
      __builtin_prefetch(arcs.arcs.data() + arcs.nodes[node].first);
      path[--depth] = node;
    }
    ms.assign(path.size(), Metric::kInfinityMs);
    for (const Access& access : accesses) {
      std::uint32_t& at = ms[hierarchy.depth(hierarchy.rank(access.state))];
      at = std::min(at, access.ms);
    }
  }
};

/// Number of common ancestors of two places: the ancestors with smaller depths.
inline std::uint32_t CommonAncestors(const Climb& a, const Climb& b) {
  if (a.base == kNoRank || b.base == kNoRank) return 0;
  // The descendants of a node are numbered just before it. So an ancestor of one place is an
  // ancestor of the other place too unless its number is smaller.
  const Climb& first = a.base < b.base ? a : b;
  const Rank last = std::max(a.base, b.base);
  const auto end = std::partition_point(first.path.begin(), first.path.end(),
                                        [&](Rank node) { return node >= last; });
  return static_cast<std::uint32_t>(end - first.path.begin());
}

/// A climb that also records the paths.
struct TracedClimb : Climb {
  struct Step {
    std::uint32_t arc;
    Rank low;  // kNoRank: an access
  };
  std::vector<Step> last;  // by depth, the step that came there

  void Run(const Hierarchy& hierarchy, const Metric::SearchArcs& arcs, const AccessList& accesses) {
    Start(hierarchy, arcs, accesses);
    last.assign(ms.size(), Step{0, kNoRank});
    for (std::size_t from = path.size(); from-- > 0;) {
      const Rank node = path[from];
      const std::uint32_t here = ms[from];
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

  /// The steps between an access and the ancestor at this depth, the highest first. Sets `depth` to
  /// the access's depth.
  std::vector<Step> StepsTo(const Hierarchy& hierarchy, std::uint32_t& depth) const {
    std::vector<Step> steps;
    while (last[depth].low != kNoRank) {
      steps.push_back(last[depth]);
      depth = hierarchy.depth(last[depth].low);
    }
    return steps;
  }
};

/// The shortest time up one climb and down the other via a common ancestor.
inline std::uint32_t Meet(const Climb& up, const Climb& down) {
  const std::uint32_t common = CommonAncestors(up, down);
  Int4 best4 = Int4{} + 2 * Metric::kInfinityMs;  // signed, as only these are compared by SSE2
  std::uint32_t depth = 0;
  for (; depth + 4 <= common; depth += 4) {
    const Int4 sum = Load4(&up.ms[depth]) + Load4(&down.ms[depth]);
    best4 = sum < best4 ? sum : best4;
  }
  std::int32_t best = std::min(std::min(best4[0], best4[1]), std::min(best4[2], best4[3]));
  for (; depth < common; ++depth) {
    best = std::min(best, static_cast<std::int32_t>(up.ms[depth] + down.ms[depth]));
  }
  const auto ms = static_cast<std::uint32_t>(best);
  return ms <= kMaxDriveMs ? ms : kUnreachableMs;
}

}  // namespace ridestream::roads
