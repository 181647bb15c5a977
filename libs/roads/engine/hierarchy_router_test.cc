#include "libs/roads/engine/hierarchy_router.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "libs/base/draw.h"
#include "libs/roads/streets.h"
#include "libs/roads/testing/test_map.h"
#include "libs/roads/testing/test_world.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

std::vector<std::uint32_t> RandomDurations(const RoadGraph& graph, std::mt19937_64& random) {
  std::vector<std::uint32_t> edge_ms = GraphDurations(graph);
  for (std::uint32_t& ms : edge_ms) {
    ms = static_cast<std::uint32_t>(1 + ms * DrawBelow(random, 1000) / 300);
    if (DrawBelow(random, 50) == 0) ms = kClosedMs;
  }
  return edge_ms;
}

std::vector<SnappedPoint> RandomPoints(const Streets& streets, std::size_t count,
                                       std::mt19937_64& random) {
  std::vector<SnappedPoint> points;
  for (; count > 0; --count) {
    points.push_back(*streets.snapper().Nearest(RandomPointOnStreet(streets.graph(), random)));
  }
  return points;
}

TEST(HierarchyRouterTest, EqualsDijkstraAfterEveryChangeOfSpeeds) {
  const auto streets = Streets::Load("city:9");
  ASSERT_THAT(streets, IsOk());
  std::mt19937_64 random(9);
  int unreachable = 0;
  for (int round = 0; round < 3; ++round) {
    const std::vector<std::uint32_t> edge_ms = RandomDurations((*streets)->graph(), random);
    const DijkstraRouter dijkstra((*streets)->turns(), (*streets)->snapper(), edge_ms);
    ASSERT_THAT((*streets)->engine().SetDurations(edge_ms), IsOk());
    const auto points = RandomPoints(**streets, 30, random);
    const std::vector<std::uint32_t> table = (*streets)->router().MsTable(points, points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::vector<std::uint32_t> expected = dijkstra.MsFrom(points[i], points);
      ASSERT_EQ((*streets)->router().MsFrom(points[i], points), expected);
      ASSERT_EQ((*streets)->router().MsTo(points[i], points), dijkstra.MsTo(points[i], points));
      for (std::size_t k = 0; k < points.size(); ++k) {
        ASSERT_EQ(table[i * points.size() + k], expected[k]);
        ASSERT_EQ((*streets)->router().MsBetween(points[i], points[k]), expected[k]);
        const auto route = (*streets)->router().RouteBetween(points[i], points[k]);
        ASSERT_EQ(route.has_value(), expected[k] != kUnreachableMs);
        if (!route) ++unreachable;
        if (route) {
          ASSERT_EQ(route->duration, std::chrono::milliseconds(expected[k]));
        }
      }
    }
  }
  EXPECT_GT(unreachable, 10);  // some places lie on closed streets
}

TEST(HierarchyRouterTest, DrivesAroundAClosedStreet) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(1000, 0);
  map.AddStreet({a, b});
  map.AddStreet({a, map.AddNode(500, 500), b});
  map.AddStreet({map.AddNode(-500, 0), a});
  map.AddStreet({b, map.AddNode(1500, 0)});
  const auto world = MakeWorld(map);
  const SnappedPoint west = world->Snap(TestMap::At(-250, 0));
  const SnappedPoint east = world->Snap(TestMap::At(1250, 0));
  const SnappedPoint middle = world->Snap(TestMap::At(500, 0));
  EXPECT_NEAR(world->hierarchy.MsBetween(west, east), 150'000, 100);
  std::vector<std::uint32_t> edge_ms = GraphDurations(world->graph);
  edge_ms[middle.edge] = edge_ms[*world->graph.Opposite(middle.edge)] = kClosedMs;
  ASSERT_THAT(world->hierarchy.SetDurations(edge_ms), IsOk());
  EXPECT_NEAR(world->hierarchy.MsBetween(west, east), 191'400, 200);
  EXPECT_EQ(world->hierarchy.MsBetween(west, middle), kUnreachableMs);
  EXPECT_EQ(world->hierarchy.MsBetween(middle, east), kUnreachableMs);
  EXPECT_EQ(world->hierarchy.MsBetween(middle, middle), 0U);
  edge_ms[middle.edge] = 50'000;  // opened in one direction, twice as fast
  ASSERT_THAT(world->hierarchy.SetDurations(edge_ms), IsOk());
  const bool eastward =
      world->graph.position(world->graph.edge(middle.edge).from) == TestMap::At(0, 0);
  EXPECT_NEAR(world->hierarchy.MsBetween(eastward ? west : east, eastward ? east : west), 100'000,
              100);
}

TEST(HierarchyRouterTest, DurationsThatCantBeAreRefusedAndNothingChanges) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1000, 0)}, {{"name", "Rua A"}});
  const auto world = MakeWorld(map);
  const auto before = world->hierarchy.metric();
  EXPECT_THAT(world->hierarchy.SetDurations({1'000}),
              StatusIs(absl::StatusCode::kInvalidArgument, "1 durations for 2 segments"));
  EXPECT_THAT(world->hierarchy.SetDurations({1'000, 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, "0 ms for segment 1 (Rua A)"));
  EXPECT_THAT(world->hierarchy.SetDurations({1'000, 1U << 31}),
              StatusIs(absl::StatusCode::kInvalidArgument, "must be 1 to"));
  EXPECT_EQ(world->hierarchy.metric(), before);
}

TEST(HierarchyRouterTest, QuestionsUnderWaySeeTheOldSpeedsOrTheNewNeverAMixture) {
  const auto streets = Streets::Load("city:4");
  ASSERT_THAT(streets, IsOk());
  std::mt19937_64 random(4);
  HierarchyRouter& router = (*streets)->engine();
  const auto points = RandomPoints(**streets, 20, random);
  const std::vector<std::uint32_t> slow_ms = RandomDurations((*streets)->graph(), random);
  const std::vector<std::uint32_t> fast_ms = GraphDurations((*streets)->graph());
  const std::vector<std::uint32_t> fast = router.MsTable(points, points);
  ASSERT_THAT(router.SetDurations(slow_ms), IsOk());
  const std::vector<std::uint32_t> slow = router.MsTable(points, points);
  ASSERT_NE(slow, fast);

  std::atomic<int> changes = 0;
  std::vector<std::thread> askers;
  std::atomic<int> mixtures = 0;
  for (int t = 0; t < 3; ++t) {
    askers.emplace_back([&] {
      while (changes < 20) {
        const auto table = router.MsTable(points, points);
        if (table != slow && table != fast) ++mixtures;
        // Prepared before and after a change: the result is also one of the two.
        const std::uint32_t ms =
            router.MsBetween(router.Prepare(points[0]), router.Prepare(points[1]));
        if (ms != slow[1] && ms != fast[1]) ++mixtures;
      }
    });
  }
  for (; changes < 20; ++changes) {
    EXPECT_THAT(router.SetDurations(changes % 2 == 0 ? fast_ms : slow_ms), IsOk());
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(mixtures, 0);
}

TEST(HierarchyRouterTest, PlacesPreparedAtOtherSpeedsOrElsewhereAreAnsweredByTheNewest) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1000, 0), map.AddNode(2000, 0)});
  const auto world = MakeWorld(map);
  const SnappedPoint a = world->Snap(TestMap::At(250, 0));
  const SnappedPoint b = world->Snap(TestMap::At(1750, 0));
  const PreparedPlace old_a = world->hierarchy.Prepare(a);
  const PreparedPlace old_b = world->hierarchy.Prepare(b);
  std::vector<std::uint32_t> twice = GraphDurations(world->graph);
  for (std::uint32_t& ms : twice) ms *= 2;
  ASSERT_THAT(world->hierarchy.SetDurations(twice), IsOk());
  EXPECT_NEAR(world->hierarchy.MsBetween(old_a, old_b), 150'000, 100);
  EXPECT_NEAR(world->hierarchy.MsBetween(world->hierarchy.Prepare(a), old_b), 300'000, 200);
  EXPECT_NEAR(world->hierarchy.MsBetween(world->dijkstra.Prepare(a), old_b), 300'000, 200);
  const auto other = MakeWorld(map);
  EXPECT_NEAR(world->hierarchy.MsBetween(other->hierarchy.Prepare(a), other->hierarchy.Prepare(b)),
              300'000, 200);
}

}  // namespace
}  // namespace ridestream::roads
