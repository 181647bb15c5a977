#include "libs/roads/engine/unit_flow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "libs/base/draw.h"

namespace ridestream::roads {
namespace {

using Role = UnitFlow::Role;
using Edges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

UndirectedGraph MakeGraph(std::uint32_t nodes, const Edges& edges) {
  UndirectedGraph graph;
  std::vector<std::vector<std::pair<std::uint32_t, std::size_t>>> arcs(nodes);  // head, edge
  for (std::size_t i = 0; i < edges.size(); ++i) {
    arcs[edges[i].first].emplace_back(edges[i].second, i);
    arcs[edges[i].second].emplace_back(edges[i].first, i);
  }
  std::vector<std::vector<std::uint32_t>> of_edge(edges.size());
  for (std::uint32_t node = 0; node < nodes; ++node) {
    graph.first.push_back(static_cast<std::uint32_t>(graph.heads.size()));
    for (const auto& [head, edge] : arcs[node]) {
      of_edge[edge].push_back(static_cast<std::uint32_t>(graph.heads.size()));
      graph.heads.push_back(head);
    }
  }
  graph.first.push_back(static_cast<std::uint32_t>(graph.heads.size()));
  graph.reverse.resize(graph.heads.size());
  for (const auto& both : of_edge) {
    graph.reverse[both[0]] = both[1];
    graph.reverse[both[1]] = both[0];
  }
  return graph;
}

template <class IsInside>
std::uint32_t CutSize(const Edges& edges, IsInside is_inside) {
  return static_cast<std::uint32_t>(std::count_if(edges.begin(), edges.end(), [&](const auto& e) {
    return is_inside(e.first) != is_inside(e.second);
  }));
}

TEST(UnitFlowTest, FindsAMinimumCutOfRandomGraphs) {
  UnitFlow flow;
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    const auto nodes = static_cast<std::uint32_t>(DrawBetween(random, 3, 10));
    Edges edges;
    for (std::int64_t i = DrawBetween(random, 1, 25); i > 0; --i) {
      const auto a = static_cast<std::uint32_t>(DrawBelow(random, nodes));
      const auto b = static_cast<std::uint32_t>(DrawBelow(random, nodes));
      if (a != b) edges.emplace_back(a, b);
    }
    std::vector<Role> roles(nodes, Role::kNone);
    roles[0] = Role::kSource;
    roles[1] = Role::kSink;
    if (nodes > 5) roles[2] = Role::kSource;
    std::uint32_t least = ~0U;
    for (std::uint32_t side = 0; side < 1U << nodes; ++side) {
      const auto inside = [&](std::uint32_t node) { return (side >> node & 1U) != 0; };
      if (!inside(0) || inside(1) || (nodes > 5 && !inside(2))) continue;
      least = std::min(least, CutSize(edges, inside));
    }
    const UndirectedGraph graph = MakeGraph(nodes, edges);
    ASSERT_EQ(flow.Cut(graph, roles, 100), least);
    const auto inside = [&](std::uint32_t node) { return flow.IsOnSourceSide(node); };
    EXPECT_TRUE(inside(0));
    EXPECT_FALSE(inside(1));
    ASSERT_EQ(CutSize(edges, inside), least);
    if (least > 0) {
      ASSERT_GT(flow.Cut(graph, roles, least - 1), least - 1);
    }
  }
}

}  // namespace
}  // namespace ridestream::roads
