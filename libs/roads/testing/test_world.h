#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "libs/roads/engine/contraction_order.h"
#include "libs/roads/engine/dijkstra_router.h"
#include "libs/roads/engine/hierarchy_router.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/roads/graph/turn_graph.h"
#include "libs/roads/snapping/snap.h"
#include "libs/roads/testing/test_map.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {

/// A graph with everything needed to query it by both engines.
struct TestWorld {
  explicit TestWorld(RoadGraph g)
      : graph(std::move(g)),
        turns(graph),
        snapper(graph),
        dijkstra(turns, snapper),
        hierarchy(turns, snapper, FindContractionOrder(graph)) {}

  SnappedPoint Snap(LatLng place) const { return *snapper.Nearest(place); }

  /// The travel time; -1 if there is no path. Fails the test unless every engine gives the same
  /// answer to every kind of query.
  double Seconds(LatLng from, LatLng to) const {
    const SnappedPoint start = Snap(from);
    const SnappedPoint goal = Snap(to);
    const std::uint32_t ms = dijkstra.MsBetween(start, goal);
    for (const Router* router : std::initializer_list<const Router*>{&dijkstra, &hierarchy}) {
      EXPECT_EQ(router->MsBetween(start, goal), ms);
      EXPECT_EQ(router->MsTo(goal, {&start, 1}), std::vector{ms});
      EXPECT_EQ(router->MsFrom(start, {&goal, 1}), std::vector{ms});
      EXPECT_EQ(router->MsTable({&start, 1}, {&goal, 1}), std::vector{ms});
      EXPECT_EQ(router->MsBetween(router->Prepare(start), router->Prepare(goal)), ms);
      const auto route = router->RouteBetween(start, goal);
      EXPECT_EQ(route ? route->duration / std::chrono::milliseconds(1) : kUnreachableMs, ms);
    }
    return ms == kUnreachableMs ? -1 : ms / 1000.0;
  }

  const RoadGraph graph;
  const TurnGraph turns;
  const Snapper snapper;
  const DijkstraRouter dijkstra;
  HierarchyRouter hierarchy;
};

inline std::unique_ptr<TestWorld> MakeWorld(const TestMap& map,
                                            RoadGraphBuilder::Options options = {}) {
  auto graph = map.Build(options);
  EXPECT_THAT(graph, testing::IsOk());
  return std::make_unique<TestWorld>(*std::move(graph));
}

}  // namespace ridestream::roads
