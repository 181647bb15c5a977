#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ridestream::roads {

/// A directed graph's strongly connected components: within a component, every node reaches every
/// other one.
struct StrongComponents {
  std::vector<std::uint32_t> component;  ///< Of each node.
  std::vector<std::uint32_t> size;       ///< Nodes of each component.

  /// The component with the most nodes; among equal ones, that with the lowest number. There must
  /// be a node.
  std::uint32_t Largest() const;
};

/// R. Tarjan, "Depth-First Search and Linear Graph Algorithms", 1972; without recursion, because
/// streets form paths of 100,000 nodes. The arcs of node v lead to `heads[first_out[v]]` …
/// `heads[first_out[v + 1] - 1]`; `first_out` has one entry more than there are nodes.
StrongComponents FindStrongComponents(std::span<const std::uint32_t> first_out,
                                      std::span<const std::uint32_t> heads);

}  // namespace ridestream::roads
