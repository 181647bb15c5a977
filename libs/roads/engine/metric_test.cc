#include "libs/roads/engine/metric.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "libs/base/draw.h"
#include "libs/roads/engine/hierarchy.h"
#include "libs/roads/graph/dijkstra_search.h"
#include "libs/roads/streets.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;

/// The graph with the arcs of `turns` from each state, or, `backward`, those to each state.
SearchGraph GraphOf(const TurnGraph& turns, bool backward) {
  std::vector<std::vector<SearchGraph::Arc>> arcs(turns.state_count());
  for (StateIndex state = 0; state < turns.state_count(); ++state) {
    for (const TurnGraph::Arc& arc : turns.Arcs(state)) {
      const std::uint32_t ms = turns.graph().edge(arc.edge).duration_ms;
      arcs[backward ? arc.head : state].push_back({backward ? state : arc.head, ms});
    }
  }
  SearchGraph graph;
  for (const auto& list : arcs) {
    graph.first.push_back(static_cast<std::uint32_t>(graph.arcs.size()));
    graph.arcs.insert(graph.arcs.end(), list.begin(), list.end());
  }
  graph.first.push_back(static_cast<std::uint32_t>(graph.arcs.size()));
  return graph;
}

class MetricTest : public ::testing::TestWithParam<bool> {};

TEST_P(MetricTest, SearchesAlongQuickestRoutesOnly) {
  const auto streets = Streets::Load("city:7");
  ASSERT_THAT(streets, IsOk());
  const Hierarchy& hierarchy = (*streets)->engine().hierarchy();
  const auto metric = (*streets)->engine().metric();
  const Metric::SearchArcs& arcs = GetParam() ? metric->down() : metric->up();
  ASSERT_EQ(arcs.nodes.size(), hierarchy.node_count() + 1);
  EXPECT_LT(arcs.arcs.size(), hierarchy.arc_count());
  const SearchGraph graph = GraphOf((*streets)->turns(), GetParam());
  DijkstraSearch search;
  std::mt19937_64 random(7);
  int compared = 0;
  for (int i = 0; i < 300; ++i) {
    const auto node = static_cast<Rank>(DrawBelow(random, hierarchy.node_count()));
    search.Start((*streets)->turns().state_count());
    search.AddStart(hierarchy.state(node), 0);
    search.Run(graph, DijkstraSearch::kMaxMs, [](StateIndex, std::uint32_t) { return true; });
    EXPECT_EQ(arcs.nodes[node].parent, hierarchy.parent(node));
    for (std::uint32_t k = arcs.nodes[node].first; k < arcs.nodes[node + 1].first; ++k) {
      const std::uint32_t arc = arcs.in_hierarchy[k];
      ASSERT_GE(arc, hierarchy.first(node));
      ASSERT_LT(arc, hierarchy.first(node + 1));
      EXPECT_EQ(arcs.arcs[k].head_depth, hierarchy.depth(hierarchy.head(arc)));
      EXPECT_EQ(arcs.arcs[k].ms, search.ms(hierarchy.state(hierarchy.head(arc))));
      ++compared;
    }
  }
  EXPECT_GT(compared, 500);
}

INSTANTIATE_TEST_SUITE_P(Directions, MetricTest, ::testing::Bool(),
                         [](const auto& down) { return down.param ? "Down" : "Up"; });

}  // namespace
}  // namespace ridestream::roads
