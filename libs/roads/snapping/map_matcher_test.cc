#include "libs/roads/snapping/map_matcher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

#include "libs/roads/streets.h"
#include "libs/roads/testing/test_map.h"
#include "libs/roads/testing/test_world.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;

/// Two streets 25 m apart, both two-way, joined at their ends.
TestMap Ladder() {
  TestMap map;
  const auto a = map.AddNode(0, 0), b = map.AddNode(1000, 0);
  const auto c = map.AddNode(0, 25), d = map.AddNode(1000, 25);
  map.AddStreet({a, b}, {{"name", "south"}});
  map.AddStreet({c, d}, {{"name", "north"}});
  map.AddStreet({a, c});
  map.AddStreet({b, d});
  return map;
}

TEST(MapMatcherTest, TrackDecidesStreetAndDirection) {
  const auto world = MakeWorld(Ladder());
  const MapMatcher matcher(world->turns, world->snapper);
  const auto match = [&](const std::vector<LatLng>& track) {
    const auto point = matcher.Match(track);
    EXPECT_TRUE(point.has_value());
    return *point;
  };
  // On the southern street; the last position is nearer to the northern one.
  const SnappedPoint east = match({TestMap::At(200, -3), TestMap::At(240, 4), TestMap::At(280, 2),
                                   TestMap::At(320, -2), TestMap::At(360, 14)});
  EXPECT_EQ(world->graph.name(east.edge), "south");
  EXPECT_TRUE(east.under_way);
  EXPECT_GT(world->graph.position(world->graph.edge(east.edge).to).lng_e7,
            TestMap::At(500, 0).lng_e7);
  const SnappedPoint west =
      match({TestMap::At(360, 22), TestMap::At(320, 28), TestMap::At(280, 24)});
  EXPECT_EQ(world->graph.name(west.edge), "north");
  EXPECT_TRUE(west.under_way);
  EXPECT_LT(world->graph.position(world->graph.edge(west.edge).to).lng_e7,
            TestMap::At(500, 0).lng_e7);
  // A standing car shows no direction.
  EXPECT_FALSE(match({TestMap::At(360, 1), TestMap::At(362, -3), TestMap::At(361, 2)}).under_way);
  EXPECT_FALSE(match({TestMap::At(360, 1)}).under_way);
}

TEST(MapMatcherTest, FarFromStreetsTheNearestIsTaken) {
  const auto world = MakeWorld(Ladder());
  const MapMatcher matcher(world->turns, world->snapper);
  EXPECT_EQ(matcher.Match({}), std::nullopt);
  const std::vector<LatLng> beside{TestMap::At(300, 0), TestMap::At(400, -200)};
  const auto point = matcher.Match(beside);
  ASSERT_TRUE(point.has_value());
  EXPECT_EQ(world->graph.name(point->edge), "south");
  EXPECT_FALSE(point->under_way);
  const std::vector<LatLng> far{TestMap::At(300, 0), TestMap::At(400, -2000)};
  EXPECT_EQ(matcher.Match(far), std::nullopt);
}

TEST(MapMatcherTest, PositionsBeforeAJumpDontCount) {
  const auto world = MakeWorld(Ladder());
  const MapMatcher matcher(world->turns, world->snapper);
  const std::vector<LatLng> jumped{TestMap::At(-5'000, 0), TestMap::At(500, 0)};
  const auto point = matcher.Match(jumped);
  ASSERT_TRUE(point.has_value());
  EXPECT_EQ(point->point, world->Snap(TestMap::At(500, 0)).point);
  EXPECT_FALSE(point->under_way);
}

TEST(MapMatcherTest, CarUnderWayContinuesAhead) {
  const auto world = MakeWorld(Ladder());
  SnappedPoint start = world->Snap(TestMap::At(500, 0));
  const SnappedPoint behind = world->Snap(TestMap::At(400, 0));
  const SnappedPoint ahead = world->Snap(TestMap::At(600, 0));
  EXPECT_NEAR(world->hierarchy.MsBetween(start, behind), 10'000, 100);
  start.under_way = true;
  const bool eastward =
      world->graph.position(world->graph.edge(start.edge).from) == TestMap::At(0, 0);
  const std::uint32_t back = world->hierarchy.MsBetween(start, eastward ? behind : ahead);
  EXPECT_GE(back, 110'000U);  // on to the end, where one may turn round
  EXPECT_EQ(world->dijkstra.MsBetween(start, eastward ? behind : ahead), back);
  EXPECT_NEAR(world->hierarchy.MsBetween(start, eastward ? ahead : behind), 10'000, 100);
}

TEST(MapMatcherTest, FindsTheStreetOfMostDrivesThroughTheCity) {
  const auto streets = Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const MapMatcher matcher((*streets)->turns(), (*streets)->snapper());
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise_m(0, MapMatcher::kNoiseM);
  int right = 0;
  int all = 0;
  while (all < 200) {
    const LatLng from = RandomPointOnStreet((*streets)->graph(), random);
    const LatLng to = RandomPointOnStreet((*streets)->graph(), random);
    const auto route = (*streets)->router().FindRoute(from, to);
    ASSERT_THAT(route, IsOk());
    // A position every 40 m of the first kilometre.
    std::vector<LatLng> track;
    LatLng truth;
    LatLng before;
    double ahead_m = 0;
    for (std::size_t i = 0; i + 1 < route->points.size() && track.size() < 25; ++i) {
      const double length_m = DistanceM(route->points[i], route->points[i + 1]);
      for (; ahead_m < length_m && track.size() < 25; ahead_m += 40) {
        before = route->points[i];
        truth = Interpolate(route->points[i], route->points[i + 1], ahead_m / length_m);
        track.push_back(OffsetBy(truth, noise_m(random), noise_m(random)));
      }
      ahead_m -= length_m;
    }
    if (track.size() < 10) continue;
    ++all;
    const auto point = matcher.Match(track);
    ASSERT_TRUE(point.has_value());
    const auto& edge = (*streets)->graph().edge(point->edge);
    const bool this_direction = DistanceM(before, (*streets)->graph().position(edge.from)) <=
                                DistanceM(before, (*streets)->graph().position(edge.to));
    if (DistanceM(truth, point->point) < 30 && (!point->under_way || this_direction)) ++right;
  }
  EXPECT_GE(right, 190) << "of " << all;
}

}  // namespace
}  // namespace ridestream::roads
