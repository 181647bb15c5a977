#include "libs/roads/engine/metric.h"

#include <algorithm>
#include <utility>

namespace ridestream::roads {
namespace {

/// The arcs of `ms` that are no longer than those of `quickest`.
Metric::SearchArcs Select(const Hierarchy& h, const std::vector<std::uint32_t>& ms,
                          const std::vector<std::uint32_t>& quickest) {
  Metric::SearchArcs arcs;
  arcs.nodes.reserve(h.node_count() + 1);
  for (Rank node = 0; node < h.node_count(); ++node) {
    arcs.nodes.push_back({h.parent(node), static_cast<std::uint32_t>(arcs.arcs.size())});
    for (std::uint32_t arc = h.first(node); arc < h.first(node + 1); ++arc) {
      if (ms[arc] > quickest[arc] || ms[arc] >= Metric::kInfinityMs) continue;
      arcs.arcs.push_back({ms[arc], static_cast<std::uint16_t>(h.depth(h.head(arc)))});
      arcs.in_hierarchy.push_back(arc);
    }
  }
  arcs.nodes.push_back({kNoRank, static_cast<std::uint32_t>(arcs.arcs.size())});
  return arcs;
}

}  // namespace

Metric::Metric(const Hierarchy& hierarchy, std::vector<std::uint32_t> edge_ms)
    : hierarchy_(hierarchy),
      edge_ms_(std::move(edge_ms)),
      up_via_(hierarchy.arc_count(), kNoRank),
      down_via_(hierarchy.arc_count(), kNoRank) {
  const auto time = [&](EdgeIndex edge) {
    return edge == kNoEdge ? kInfinityMs : std::min(edge_ms_[edge], kInfinityMs);
  };
  up_ms_.reserve(hierarchy.arc_count());
  down_ms_.reserve(hierarchy.arc_count());
  for (std::uint32_t arc = 0; arc < hierarchy.arc_count(); ++arc) {
    up_ms_.push_back(time(hierarchy.up_edge(arc)));
    down_ms_.push_back(time(hierarchy.down_edge(arc)));
  }
  Customize();
  FindSearchArcs();
}

/// Considers for each node all pairs of its higher neighbours, in ascending order, so that
/// everything below an arc is final when the arc is used.
void Metric::Customize() {
  const Hierarchy& h = hierarchy_;
  for (Rank low = 0; low < h.node_count(); ++low) {
    const std::uint32_t end = h.first(low + 1);
    for (std::uint32_t to_mid = h.first(low); to_mid < end; ++to_mid) {
      std::uint32_t mid_to_high = h.first(h.head(to_mid));
      for (std::uint32_t to_high = to_mid + 1; to_high < end; ++to_high, ++mid_to_high) {
        // The higher neighbours of `low` are among those of `mid`, in the same order.
        while (h.head(mid_to_high) != h.head(to_high)) ++mid_to_high;
        const std::uint32_t up = down_ms_[to_mid] + up_ms_[to_high];
        if (up < up_ms_[mid_to_high]) {
          up_ms_[mid_to_high] = up;
          up_via_[mid_to_high] = low;
        }
        const std::uint32_t down = down_ms_[to_high] + up_ms_[to_mid];
        if (down < down_ms_[mid_to_high]) {
          down_ms_[mid_to_high] = down;
          down_via_[mid_to_high] = low;
        }
      }
    }
  }
}

/// The quickest path along an arc begins with an arc of its lower node and continues among higher
/// nodes, whose quickest paths are known if nodes are processed in descending order.
void Metric::FindSearchArcs() {
  const Hierarchy& h = hierarchy_;
  std::vector<std::uint32_t> up = up_ms_;
  std::vector<std::uint32_t> down = down_ms_;
  for (Rank low = static_cast<Rank>(h.node_count()); low-- > 0;) {
    const std::uint32_t end = h.first(low + 1);
    for (std::uint32_t to_mid = h.first(low); to_mid < end; ++to_mid) {
      std::uint32_t mid_to_high = h.first(h.head(to_mid));
      for (std::uint32_t to_high = to_mid + 1; to_high < end; ++to_high, ++mid_to_high) {
        while (h.head(mid_to_high) != h.head(to_high)) ++mid_to_high;
        up[to_high] = std::min(up[to_high], up[to_mid] + up[mid_to_high]);
        up[to_mid] = std::min(up[to_mid], up[to_high] + down[mid_to_high]);
        down[to_high] = std::min(down[to_high], down[mid_to_high] + down[to_mid]);
        down[to_mid] = std::min(down[to_mid], up[mid_to_high] + down[to_high]);
      }
    }
  }
  up_ = Select(h, up_ms_, up);
  down_ = Select(h, down_ms_, down);
}

void Metric::UnpackUp(std::uint32_t arc, Rank low, EdgePath& path) const {
  const Rank via = up_via_[arc];
  if (via == kNoRank) {
    path.push_back(hierarchy_.up_edge(arc));
    return;
  }
  UnpackDown(hierarchy_.FindArc(via, low), via, path);
  UnpackUp(hierarchy_.FindArc(via, hierarchy_.head(arc)), via, path);
}

void Metric::UnpackDown(std::uint32_t arc, Rank low, EdgePath& path) const {
  const Rank via = down_via_[arc];
  if (via == kNoRank) {
    path.push_back(hierarchy_.down_edge(arc));
    return;
  }
  UnpackDown(hierarchy_.FindArc(via, hierarchy_.head(arc)), via, path);
  UnpackUp(hierarchy_.FindArc(via, low), via, path);
}

}  // namespace ridestream::roads
