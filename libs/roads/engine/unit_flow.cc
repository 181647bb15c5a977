#include "libs/roads/engine/unit_flow.h"

namespace ridestream::roads {

std::uint32_t UnitFlow::Cut(const UndirectedGraph& graph, std::span<const Role> roles,
                            std::uint32_t limit) {
  room_.assign(graph.heads.size(), 1);
  std::uint32_t flow = 0;
  while (flow <= limit && FindLevels(graph, roles)) {
    next_.assign(graph.first.begin(), graph.first.end() - 1);
    for (std::uint32_t node = 0; node < graph.node_count(); ++node) {
      if (roles[node] != Role::kSource) continue;
      while (flow <= limit && Augment(graph, roles, node)) ++flow;
    }
  }
  return flow;
}

/// Breadth-first search from the sources until a sink is found. False if none is found.
bool UnitFlow::FindLevels(const UndirectedGraph& graph, std::span<const Role> roles) {
  level_.assign(graph.node_count(), kUnseen);
  queue_.clear();
  for (std::uint32_t node = 0; node < graph.node_count(); ++node) {
    if (roles[node] != Role::kSource) continue;
    level_[node] = 0;
    queue_.push_back(node);
  }
  std::uint32_t sink_level = kUnseen;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    const std::uint32_t node = queue_[i];
    if (level_[node] >= sink_level) break;
    for (std::uint32_t arc = graph.first[node]; arc < graph.first[node + 1]; ++arc) {
      const std::uint32_t head = graph.heads[arc];
      if (room_[arc] == 0 || level_[head] != kUnseen) continue;
      level_[head] = level_[node] + 1;
      queue_.push_back(head);
      if (roles[head] == Role::kSink) sink_level = level_[head];
    }
  }
  return sink_level != kUnseen;
}

/// Depth-first search along ascending levels: sends one unit from `source` to a sink if it can.
bool UnitFlow::Augment(const UndirectedGraph& graph, std::span<const Role> roles,
                       std::uint32_t source) {
  path_.clear();
  for (std::uint32_t node = source;;) {
    if (roles[node] == Role::kSink) {
      for (const std::uint32_t arc : path_) {
        --room_[arc];
        ++room_[graph.reverse[arc]];
      }
      return true;
    }
    std::uint32_t& arc = next_[node];
    while (arc < graph.first[node + 1] &&
           (room_[arc] == 0 || level_[graph.heads[arc]] != level_[node] + 1)) {
      ++arc;
    }
    if (arc < graph.first[node + 1]) {
      path_.push_back(arc);
      node = graph.heads[arc];
      continue;
    }
    if (path_.empty()) return false;
    node = graph.heads[graph.reverse[path_.back()]];
    path_.pop_back();
    ++next_[node];
  }
}

}  // namespace ridestream::roads
