#include "libs/roads/engine/hierarchy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "libs/base/draw.h"
#include "libs/roads/engine/climb.h"
#include "libs/roads/engine/contraction_order.h"
#include "libs/roads/graph/u_turns.h"
#include "libs/roads/streets.h"
#include "libs/roads/testing/test_map.h"
#include "libs/roads/testing/test_world.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;

/// Random streets with random restrictions of every kind, some of them meaningless.
TestMap RandomRestrictedMap(std::mt19937_64& random) {
  TestMap map;
  std::vector<std::int64_t> nodes;
  std::vector<std::int64_t> ways;
  const auto draw = [&](const std::vector<std::int64_t>& from) {
    return from[DrawBelow(random, from.size())];
  };
  for (std::int64_t i = DrawBetween(random, 4, 12); i > 0; --i) {
    nodes.push_back(map.AddNode(static_cast<double>(DrawBelow(random, 2000)),
                                static_cast<double>(DrawBelow(random, 2000))));
  }
  const char* const oneway[] = {"no", "no", "yes"};
  for (std::int64_t i = DrawBetween(random, 4, 14); i > 0; --i) {
    std::vector<std::int64_t> course;
    for (std::int64_t k = DrawBetween(random, 2, 3); k > 0; --k) course.push_back(draw(nodes));
    ways.push_back(map.AddStreet(course, {{"oneway", oneway[DrawBelow(random, 3)]}}));
  }
  const char* const kinds[] = {"no_left_turn", "no_straight_on", "no_u_turn", "only_right_turn"};
  for (int i = 0; i < 60; ++i) {
    const std::string kind = kinds[DrawBelow(random, 4)];
    const bool by_way = DrawBelow(random, 3) == 0;
    map.AddRestriction(
        kind, {TestMap::Way(draw(ways), "from"),
               by_way ? TestMap::Way(draw(ways), "via") : TestMap::Node(draw(nodes), "via"),
               TestMap::Way(draw(ways), "to")});
  }
  return map;
}

/// The reference: Dijkstra over whole histories, i.e. over as many of the last edges as a forbidden
/// path can have. It uses no automaton, states or hierarchy.
class HistoryOracle {
 public:
  explicit HistoryOracle(const RoadGraph& graph)
      : graph_(graph), forbidden_(graph.forbidden_paths().begin(), graph.forbidden_paths().end()) {
    for (const EdgePath& path : FindForbiddenUTurns(graph)) forbidden_.push_back(path);
    for (const EdgePath& path : forbidden_) longest_ = std::max(longest_, path.size());
  }

  /// The time from the start of `from` to the end of `to`, both driven as a whole; kUnreachableMs
  /// if that is impossible.
  std::uint32_t Ms(EdgeIndex from, EdgeIndex to) const {
    using Entry = std::pair<std::uint32_t, EdgePath>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    std::set<EdgePath> settled;
    queue.emplace(graph_.edge(from).duration_ms, EdgePath{from});
    while (!queue.empty()) {
      const auto [ms, history] = queue.top();
      queue.pop();
      if (history.back() == to) return ms;
      if (!settled.insert(history).second) continue;
      const NodeIndex node = graph_.edge(history.back()).to;
      for (EdgeIndex i = graph_.FirstOut(node); i < graph_.FirstOut(node + 1); ++i) {
        EdgePath longer = history;
        longer.push_back(i);
        if (EndsForbidden(longer)) continue;
        if (longer.size() >= std::max<std::size_t>(2, longest_)) longer.erase(longer.begin());
        queue.emplace(ms + graph_.edge(i).duration_ms, longer);
      }
    }
    return kUnreachableMs;
  }

 private:
  bool EndsForbidden(const EdgePath& path) const {
    return std::any_of(forbidden_.begin(), forbidden_.end(), [&](const EdgePath& f) {
      return path.size() >= f.size() && std::equal(f.rbegin(), f.rend(), path.rbegin());
    });
  }

  const RoadGraph& graph_;
  std::vector<EdgePath> forbidden_;
  std::size_t longest_ = 0;
};

/// Where a drive along the whole `edge` begins or ends, unless the edge is part of a two-way
/// street, where the drive could begin or end in the other direction.
std::optional<SnappedPoint> EndOf(const RoadGraph& graph, EdgeIndex edge, double fraction) {
  if (graph.Opposite(edge)) return std::nullopt;
  const Edge& e = graph.edge(edge);
  return SnappedPoint{edge, fraction, graph.position(fraction == 0 ? e.from : e.to), 0};
}

TEST(HierarchyTest, EqualsAnOracleOfHistoriesWithRestrictions) {
  int compared = 0;
  int unreachable = 0;
  int longer_by_restrictions = 0;
  RestrictionCounts total;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    RestrictionCounts counts;
    auto graph = RandomRestrictedMap(random).Build({.only_largest_component = false}, &counts);
    if (!graph.ok()) continue;
    total.applied += counts.applied;
    const TestWorld world(*std::move(graph));
    const RoadGraph free(
        [&] {
          std::vector<LatLng> places;
          for (NodeIndex n = 0; n < world.graph.node_count(); ++n) {
            places.push_back(world.graph.position(n));
          }
          return places;
        }(),
        {world.graph.edges().begin(), world.graph.edges().end()},
        std::vector<std::string>(world.graph.edge_count() + 1), 0);
    const HistoryOracle oracle(world.graph);
    const HistoryOracle unrestricted(free);
    for (EdgeIndex from = 0; from < world.graph.edge_count(); ++from) {
      const auto start = EndOf(world.graph, from, 0.5);
      for (EdgeIndex to = 0; start && to < world.graph.edge_count(); to += 3) {
        const auto goal = EndOf(world.graph, to, 0.5);
        if (!goal || from == to) continue;
        const std::uint32_t expected = oracle.Ms(from, to);
        const std::uint32_t ms = world.hierarchy.MsBetween(*start, *goal);
        ASSERT_EQ(world.dijkstra.MsBetween(*start, *goal), ms);
        ++compared;
        ASSERT_EQ(ms == kUnreachableMs, expected == kUnreachableMs);
        if (expected == kUnreachableMs) {
          ++unreachable;
          continue;
        }
        // Both halves that are not driven.
        const double halves_ms =
            (world.graph.edge(from).duration_ms + world.graph.edge(to).duration_ms) / 2.0;
        ASSERT_NEAR(ms, expected - halves_ms, 1.01);
        if (expected > unrestricted.Ms(from, to)) ++longer_by_restrictions;
      }
    }
  }
  EXPECT_GT(compared, 1000);
  EXPECT_GT(unreachable, 50);
  EXPECT_GT(longer_by_restrictions, 50);
  EXPECT_GT(total.applied, 300U);
}

TEST(HierarchyTest, HigherNeighboursAreAncestorsAndStreetsLieOnOnePath) {
  const auto streets = Streets::Load("city:7");
  ASSERT_THAT(streets, IsOk());
  const TurnGraph& turns = (*streets)->turns();
  const Hierarchy hierarchy(turns, FindContractionOrder((*streets)->graph()));
  const auto ancestors = [&](Rank node) {
    std::vector<Rank> path;
    for (; node != kNoRank; node = hierarchy.parent(node)) path.push_back(node);
    return path;
  };
  EXPECT_LT(hierarchy.height(), 200U);
  for (Rank node = 0; node < hierarchy.node_count(); ++node) {
    const std::vector<Rank> path = ancestors(node);
    ASSERT_EQ(path.size(), hierarchy.depth(node) + 1);
    for (std::uint32_t arc = hierarchy.first(node); arc < hierarchy.first(node + 1); ++arc) {
      ASSERT_TRUE(std::binary_search(path.begin(), path.end(), hierarchy.head(arc)));
      ASSERT_EQ(hierarchy.FindArc(node, hierarchy.head(arc)), arc);
    }
  }
  for (StateIndex from = 0; from < turns.state_count(); ++from) {
    for (const TurnGraph::Arc& arc : turns.Arcs(from)) {
      const auto [low, high] = std::minmax({hierarchy.rank(from), hierarchy.rank(arc.head)});
      const std::vector<Rank> path = ancestors(low);
      ASSERT_TRUE(std::binary_search(path.begin(), path.end(), high));
    }
  }
  std::mt19937_64 random(1);
  const auto climb_from = [&](Rank node) {
    std::vector<Rank> path = ancestors(node);
    std::reverse(path.begin(), path.end());
    return Climb{node, path, {}};
  };
  for (int i = 0; i < 1'000; ++i) {
    const Climb a = climb_from(static_cast<Rank>(DrawBelow(random, hierarchy.node_count())));
    const Climb b = climb_from(static_cast<Rank>(DrawBelow(random, hierarchy.node_count())));
    const auto [end, other] =
        std::mismatch(a.path.begin(), a.path.end(), b.path.begin(), b.path.end());
    ASSERT_EQ(CommonAncestors(a, b), end - a.path.begin());
    ASSERT_EQ(CommonAncestors(a, a), a.path.size());
    ASSERT_EQ(CommonAncestors(a, Climb{}), 0U);
  }
}

TEST(ContractionOrderTest, NamesEachNodeOnceAndKeepsLongStreetsLow) {
  TestMap map;
  std::vector<std::int64_t> nodes;
  for (int i = 0; i < 5'000; ++i) nodes.push_back(map.AddNode(i, 0));
  map.AddStreet(nodes);
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  std::vector<NodeIndex> order = FindContractionOrder(*graph);
  const TurnGraph turns(*graph);
  EXPECT_LE(Hierarchy(turns, order).height(), 30U);
  std::sort(order.begin(), order.end());
  for (NodeIndex i = 0; i < 5'000; ++i) ASSERT_EQ(order[i], i);
}

}  // namespace
}  // namespace ridestream::roads
