#include "libs/roads/graph/road_graph.h"

#include <gtest/gtest.h>

#include <set>

#include "libs/base/text.h"
#include "libs/roads/map/road_graph_builder.h"
#include "libs/roads/testing/test_map.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

TEST(RoadGraphTest, AStreetBecomesASegmentForEachPairOfPointsAndDirection) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(1000, 0);
  const auto c = map.AddNode(1000, 500);
  map.AddStreet({a, b, c}, {{"name", "Rua A"}});
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->node_count(), 3U);
  EXPECT_EQ(graph->junction_count(), 2U);  // b only gives the street its shape
  ASSERT_EQ(graph->edge_count(), 4U);

  const Edge& first = graph->edge(0);
  EXPECT_EQ(graph->position(first.from), TestMap::At(0, 0));
  EXPECT_NEAR(first.length_dm, 10'000, 10);
  EXPECT_NEAR(first.duration_ms, 100'000, 100);  // 36 km/h
  EXPECT_EQ(graph->name(0), "Rua A");
  EXPECT_EQ(graph->max_length_dm(), first.length_dm);
  EXPECT_EQ(graph->bounds().south_west, TestMap::At(0, 0));
  EXPECT_EQ(graph->bounds().north_east, TestMap::At(1000, 500));
}

TEST(RoadGraphTest, OutEdgesInEdgesAndOppositesAgree) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(300, 0);
  const auto c = map.AddNode(300, 300);
  map.AddStreet({a, b});
  map.AddStreet({b, c}, kOneway);
  map.AddStreet({c, a}, kOneway);
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  ASSERT_EQ(graph->edge_count(), 4U);
  std::set<EdgeIndex> out;
  std::set<EdgeIndex> in;
  for (NodeIndex node = 0; node < graph->node_count(); ++node) {
    EdgeIndex index = graph->FirstOut(node);
    for (const Edge& e : graph->OutEdges(node)) {
      EXPECT_EQ(e.from, node);
      EXPECT_EQ(e, graph->edge(index));
      out.insert(index++);
    }
    for (const EdgeIndex i : graph->InEdges(node)) {
      EXPECT_EQ(graph->edge(i).to, node);
      in.insert(i);
    }
  }
  EXPECT_EQ(out.size(), graph->edge_count());
  EXPECT_EQ(in, out);
  int two_way = 0;
  for (EdgeIndex i = 0; i < graph->edge_count(); ++i) {
    const auto opposite = graph->Opposite(i);
    if (!opposite) continue;
    ++two_way;
    EXPECT_EQ(graph->edge(*opposite).from, graph->edge(i).to);
    EXPECT_EQ(graph->edge(*opposite).to, graph->edge(i).from);
  }
  EXPECT_EQ(two_way, 2);
}

TEST(RoadGraphTest, OnlyTheLargestStrongComponentStays) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(100, 0);
  const auto c = map.AddNode(200, 0);
  const auto trap = map.AddNode(300, 0);
  map.AddStreet({a, b, c});
  map.AddStreet({c, trap}, kOneway);                            // no way back
  map.AddStreet({map.AddNode(0, 900), map.AddNode(100, 900)});  // an island
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->node_count(), 3U);
  EXPECT_EQ(graph->edge_count(), 4U);
  const auto all = map.Build({.only_largest_component = false});
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ(all->node_count(), 6U);
  EXPECT_EQ(all->edge_count(), 7U);
}

TEST(RoadGraphTest, QuickerOfTwoStreetsOnOneLineStays) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(1000, 0);
  map.AddStreet({a, b}, {{"maxspeed", "20"}, {"name", "slow"}});
  map.AddStreet({a, b}, {{"maxspeed", "72"}, {"name", "quick"}});
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  ASSERT_EQ(graph->edge_count(), 2U);
  EXPECT_NEAR(graph->edge(0).duration_ms, 50'000, 50);
  EXPECT_EQ(graph->name(0), "quick");
}

TEST(RoadGraphTest, StreetsAreInterruptedWhereAPositionIsMissing) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(100, 0);
  map.AddStreet({a, b, 777, 778});
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->node_count(), 2U);
  EXPECT_EQ(graph->edge_count(), 2U);
}

TEST(RoadGraphTest, PointsAtOnePlaceStillTakeTime) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(0, 0)});
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->edge(0).length_dm, 0U);
  EXPECT_EQ(graph->edge(0).duration_ms, 1U);
  std::mt19937_64 random(1);
  EXPECT_EQ(RandomPointOnStreet(*graph, random), TestMap::At(0, 0));
}

TEST(RoadGraphTest, AMapWithoutStreetsIsRefused) {
  TestMap empty;
  EXPECT_THAT(empty.Build(), StatusIs(absl::StatusCode::kFailedPrecondition, "no drivable street"));

  TestMap footways;
  footways.data().ways.push_back(
      {1, {footways.AddNode(0, 0), footways.AddNode(9, 9)}, {{"highway", "footway"}}});
  EXPECT_THAT(footways.Build(),
              StatusIs(absl::StatusCode::kFailedPrecondition, "no drivable street"));

  TestMap unplaced;
  unplaced.AddStreet({777, 778});
  EXPECT_THAT(unplaced.Build(),
              StatusIs(absl::StatusCode::kFailedPrecondition, "positions of their points"));

  TestMap no_way_back;
  no_way_back.AddStreet({no_way_back.AddNode(0, 0), no_way_back.AddNode(9, 9)}, kOneway);
  EXPECT_THAT(no_way_back.Build(),
              StatusIs(absl::StatusCode::kFailedPrecondition, "aren't connected"));
}

TEST(RoadGraphTest, RandomPointsFallOnStreetsByTheirLength) {
  TestMap map;
  const auto middle = map.AddNode(0, 0);
  map.AddStreet({middle, map.AddNode(900, 0)});
  map.AddStreet({middle, map.AddNode(-100, 0)});
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  std::mt19937_64 random(7);
  int east = 0;
  for (int i = 0; i < 10'000; ++i) {
    const LatLng place = RandomPointOnStreet(*graph, random);
    EXPECT_TRUE(graph->bounds().Contains(place));
    if (place.lng_e7 > TestMap::At(0, 0).lng_e7) ++east;
  }
  EXPECT_NEAR(east, 9000, 150);  // 5 standard deviations
}

TEST(BoundingBoxTest, ContainsWithAMargin) {
  const BoundingBox box{TestMap::At(0, 0), TestMap::At(1000, 1000)};
  EXPECT_TRUE(box.Contains(TestMap::At(500, 500)));
  EXPECT_FALSE(box.Contains(TestMap::At(1100, 500)));
  EXPECT_TRUE(box.Contains(TestMap::At(1100, 500), 101));
  EXPECT_FALSE(box.Contains(TestMap::At(1100, 1100), 101));  // the corner is 141 m away
  EXPECT_FALSE(box.Contains(LatLng{910'000'000, 0}, 1e9));
}

TEST(TextTest, NumbersAreGrouped) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(12'320), "12,320");
  EXPECT_EQ(Grouped(-1'234'567), "-1,234,567");
}

}  // namespace
}  // namespace ridestream::roads
