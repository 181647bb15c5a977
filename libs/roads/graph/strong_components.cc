#include "libs/roads/graph/strong_components.h"

#include <algorithm>
#include <limits>

namespace ridestream::roads {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

struct Frame {
  std::uint32_t node;
  std::uint32_t next_arc;
};

}  // namespace

std::uint32_t StrongComponents::Largest() const {
  return static_cast<std::uint32_t>(std::max_element(size.begin(), size.end()) - size.begin());
}

StrongComponents FindStrongComponents(std::span<const std::uint32_t> first_out,
                                      std::span<const std::uint32_t> heads) {
  const auto node_count = static_cast<std::uint32_t>(first_out.size() - 1);
  StrongComponents result;
  result.component.assign(node_count, kNone);
  std::vector<std::uint32_t> order(node_count, kNone);  // when the node was first seen
  std::vector<std::uint32_t> low(node_count, kNone);    // the earliest open node it leads back to
  std::vector<std::uint32_t> open;                      // seen, component not yet known
  std::vector<Frame> path;                              // of the depth-first search
  std::uint32_t seen = 0;

  const auto enter = [&](std::uint32_t node) {
    order[node] = low[node] = seen++;
    open.push_back(node);
    path.push_back({node, first_out[node]});
  };
  const auto close = [&](std::uint32_t root) {
    const auto number = static_cast<std::uint32_t>(result.size.size());
    result.size.push_back(0);
    for (std::uint32_t node = kNone; node != root;) {
      node = open.back();
      open.pop_back();
      result.component[node] = number;
      ++result.size.back();
    }
  };

  for (std::uint32_t start = 0; start < node_count; ++start) {
    if (order[start] != kNone) continue;
    enter(start);
    while (!path.empty()) {
      Frame& frame = path.back();
      const std::uint32_t node = frame.node;
      if (frame.next_arc < first_out[node + 1]) {
        const std::uint32_t head = heads[frame.next_arc++];
        if (order[head] == kNone) {
          enter(head);
        } else if (result.component[head] == kNone) {
          low[node] = std::min(low[node], order[head]);
        }
        continue;
      }
      path.pop_back();
      if (!path.empty()) low[path.back().node] = std::min(low[path.back().node], low[node]);
      if (low[node] == order[node]) close(node);
    }
  }
  return result;
}

}  // namespace ridestream::roads
