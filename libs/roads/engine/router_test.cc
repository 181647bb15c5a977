#include "libs/roads/engine/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <numeric>
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

using namespace std::chrono_literals;
using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

TEST(RouterTest, TwoWayStreetIsDrivenInBothDirections) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1000, 0)});
  const auto world = MakeWorld(map);
  EXPECT_NEAR(world->Seconds(TestMap::At(250, 0), TestMap::At(750, 0)), 50, 0.1);
  EXPECT_NEAR(world->Seconds(TestMap::At(750, 0), TestMap::At(250, 0)), 50, 0.1);
  const auto route = world->hierarchy.FindRoute(TestMap::At(750, 5), TestMap::At(250, 5));
  ASSERT_THAT(route, IsOk());
  EXPECT_EQ(route->points.size(), 2U);
  EXPECT_NEAR(route->length_m, 500, 1);
}

TEST(RouterTest, BackwardsOnAOneWayStreetLeadsAroundTheBlock) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(1000, 0);
  const auto c = map.AddNode(1000, 1000);
  const auto d = map.AddNode(0, 1000);
  map.AddStreet({a, b, c, d, a}, kOneway);
  const auto world = MakeWorld(map);
  EXPECT_NEAR(world->Seconds(TestMap::At(250, 0), TestMap::At(750, 0)), 50, 0.1);
  EXPECT_NEAR(world->Seconds(TestMap::At(750, 0), TestMap::At(250, 0)), 350, 0.5);
  const auto route = world->hierarchy.FindRoute(TestMap::At(750, 0), TestMap::At(250, 0));
  ASSERT_THAT(route, IsOk());
  EXPECT_EQ(route->points.size(), 6U);
}

TEST(RouterTest, TheDirectWayOnASlowStreetMayNotBeTheQuickest) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(1000, 0);
  map.AddStreet({a, map.AddNode(0, 200), map.AddNode(1000, 200), b}, {{"maxspeed", "100"}});
  map.AddStreet({a, b}, {{"maxspeed", "5"}});
  const auto world = MakeWorld(map);
  EXPECT_NEAR(world->Seconds(TestMap::At(10, 0), TestMap::At(990, 0)),
              2 * 10 / (5 / 3.6) + 1400 / (100 / 3.6), 0.5);
}

TEST(RouterTest, EveryStreetOfAJunctionCanBeTaken) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(1000, 0);
  const auto c = map.AddNode(0, 1000);
  map.AddStreet({a, b}, kOneway);
  map.AddStreet({b, c}, kOneway);
  map.AddStreet({c, a}, kOneway);
  const auto world = MakeWorld(map);
  EXPECT_NEAR(world->Seconds(TestMap::At(0, 0), TestMap::At(1000, 0)), 100, 0.1);
  EXPECT_NEAR(world->Seconds(TestMap::At(1000, 0), TestMap::At(0, 0)), 241.4, 0.3);
  EXPECT_NEAR(world->Seconds(TestMap::At(0, 1000), TestMap::At(1000, 0)), 200, 0.3);
}

TEST(RouterTest, RouteToTheSamePlaceIsAPoint) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1000, 0)});
  const auto world = MakeWorld(map);
  for (const double east_m : {0.0, 400.0, 1000.0}) {
    const auto route = world->hierarchy.FindRoute(TestMap::At(east_m, 0), TestMap::At(east_m, 0));
    ASSERT_THAT(route, IsOk());
    EXPECT_EQ(route->points.size(), 1U);
    EXPECT_TRUE(route->leg_ms.empty());
    EXPECT_EQ(route->duration, 0us);
    EXPECT_EQ(route->length_m, 0);
  }
}

TEST(RouterTest, UnreachableAndNonexistentPlacesAreRefused) {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  map.AddStreet({a, map.AddNode(1000, 0)});
  map.AddStreet({a, map.AddNode(0, 1000)}, kOneway);
  const auto world = MakeWorld(map, {.only_largest_component = false});
  const LatLng here = TestMap::At(500, 0);
  const LatLng trap = TestMap::At(0, 500);
  const LatLng sea = TestMap::At(-5000, 0);
  const LatLng nowhere{0, 2'000'000'000};
  EXPECT_THAT(world->hierarchy.TravelTime(here, trap), IsOk());
  EXPECT_THAT(world->hierarchy.TravelTime(trap, here),
              StatusIs(absl::StatusCode::kNotFound, "no route along the streets leads from"));
  EXPECT_THAT(world->hierarchy.FindRoute(trap, here),
              StatusIs(absl::StatusCode::kNotFound, "no route"));
  EXPECT_THAT(world->hierarchy.FindRoute(here, sea),
              StatusIs(absl::StatusCode::kNotFound, "5,000 m"));
  EXPECT_THAT(world->hierarchy.FindRoute(sea, here),
              StatusIs(absl::StatusCode::kNotFound, "5,000 m"));
  EXPECT_THAT(world->hierarchy.TravelTime(nowhere, here),
              StatusIs(absl::StatusCode::kInvalidArgument, "is not a place on earth"));

  const LatLng drivers[] = {trap, here, sea, nowhere};
  const auto times = world->hierarchy.TravelTimesTo(here, drivers, 1h);
  ASSERT_THAT(times, IsOk());
  EXPECT_EQ(*times, (std::vector<std::optional<Duration>>{{}, 0us, {}, {}}));
  EXPECT_THAT(world->hierarchy.TravelTimesTo(sea, drivers, 1h),
              StatusIs(absl::StatusCode::kNotFound, "5,000 m"));
  EXPECT_THAT(world->hierarchy.TravelTimesTo(nowhere, drivers, 1h),
              StatusIs(absl::StatusCode::kInvalidArgument, ""));
  EXPECT_THAT(world->hierarchy.TravelTimesTo(here, drivers, -1us),
              StatusIs(absl::StatusCode::kInvalidArgument, "negative"));
}

TEST(RouterTest, ManyToOneEndsAtItsLimit) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1000, 0), map.AddNode(2000, 0)});
  const auto world = MakeWorld(map);
  const LatLng to = TestMap::At(0, 0);
  const LatLng from[] = {TestMap::At(500, 0), TestMap::At(1500, 0), TestMap::At(2000, 0)};
  std::vector<Duration> exact;
  for (const LatLng place : from) exact.push_back(*world->hierarchy.TravelTime(place, to));
  const auto at_limit = world->hierarchy.TravelTimesTo(to, from, exact[1]);
  ASSERT_THAT(at_limit, IsOk());
  EXPECT_EQ(*at_limit, (std::vector<std::optional<Duration>>{exact[0], exact[1], {}}));
  const auto below = world->hierarchy.TravelTimesTo(to, from, exact[1] - 1us);
  ASSERT_THAT(below, IsOk());
  EXPECT_EQ(*below, (std::vector<std::optional<Duration>>{exact[0], {}, {}}));
  EXPECT_THAT(world->hierarchy.TravelTimesTo(to, {}, 1h), IsOk());
}

// The reference: splits the segments at both places, and relaxes all pieces until nothing changes.

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Piece {
  std::size_t from;
  std::size_t to;
  double ms;
};

std::vector<Piece> CutAt(const RoadGraph& graph, const SnappedPoint& start,
                         const SnappedPoint& goal) {
  const std::size_t start_node = graph.node_count();
  const std::size_t goal_node = start_node + 1;
  std::vector<Piece> pieces;
  for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    const Edge& e = graph.edge(i);
    std::vector<std::pair<double, std::size_t>> stops{{0, e.from}, {1, e.to}};
    for (const auto& [place, node] : {std::pair{start, start_node}, std::pair{goal, goal_node}}) {
      if (place.edge == i) stops.emplace_back(place.fraction, node);
      if (graph.Opposite(place.edge) == i) stops.emplace_back(1 - place.fraction, node);
    }
    for (const auto& [at, node] : stops) {
      for (const auto& [next_at, next] : stops) {  // stops at the same place are joined both ways
        if (next_at >= at) pieces.push_back({node, next, (next_at - at) * e.duration_ms});
      }
    }
  }
  return pieces;
}

double OracleMs(const RoadGraph& graph, const SnappedPoint& start, const SnappedPoint& goal) {
  const std::vector<Piece> pieces = CutAt(graph, start, goal);
  std::vector<double> ms(graph.node_count() + 2, kInfinity);
  ms[graph.node_count()] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Piece& piece : pieces) {
      if (ms[piece.from] + piece.ms >= ms[piece.to]) continue;
      ms[piece.to] = ms[piece.from] + piece.ms;
      changed = true;
    }
  }
  return ms.back();
}

TestMap RandomMap(std::mt19937_64& random) {
  TestMap map;
  std::vector<std::int64_t> nodes;
  for (std::int64_t i = DrawBetween(random, 3, 12); i > 0; --i) {
    nodes.push_back(map.AddNode(static_cast<double>(DrawBelow(random, 2000)),
                                static_cast<double>(DrawBelow(random, 2000))));
  }
  const char* const oneway[] = {"no", "yes", "-1"};
  const char* const maxspeed[] = {"10", "36", "90"};
  for (std::int64_t i = DrawBetween(random, 2, 12); i > 0; --i) {
    std::vector<std::int64_t> course;
    for (std::int64_t k = DrawBetween(random, 2, 4); k > 0; --k) {
      course.push_back(nodes[DrawBelow(random, nodes.size())]);
    }
    map.AddStreet(course, {{"oneway", oneway[DrawBelow(random, 3)]},
                           {"maxspeed", maxspeed[DrawBelow(random, 3)]}});
  }
  return map;
}

/// On a street, at a junction, or beside them.
LatLng RandomPlace(const RoadGraph& graph, std::mt19937_64& random) {
  const std::uint64_t kind = DrawBelow(random, 4);
  if (kind == 0) {
    return graph.position(static_cast<NodeIndex>(DrawBelow(random, graph.node_count())));
  }
  const LatLng place = RandomPointOnStreet(graph, random);
  return kind == 1 ? OffsetBy(place, 30, -40) : place;
}

void ExpectRouteHolds(const TestWorld& world, const Route& route, LatLng from, LatLng to) {
  ASSERT_EQ(route.leg_ms.size() + 1, route.points.size());
  EXPECT_EQ(route.points.front(), world.snapper.Nearest(from)->point);
  EXPECT_EQ(route.points.back(), world.snapper.Nearest(to)->point);
  EXPECT_EQ(std::accumulate(route.leg_ms.begin(), route.leg_ms.end(), std::int64_t{0}),
            route.duration / 1ms);
  double length_m = 0;
  for (std::size_t i = 0; i + 1 < route.points.size(); ++i) {
    length_m += DistanceM(route.points[i], route.points[i + 1]);
    if (i == 0 || i + 2 == route.points.size()) continue;
    const auto is_this_leg = [&](const Edge& e) {
      return world.graph.position(e.from) == route.points[i] &&
             world.graph.position(e.to) == route.points[i + 1] && e.duration_ms == route.leg_ms[i];
    };
    EXPECT_TRUE(std::any_of(world.graph.edges().begin(), world.graph.edges().end(), is_this_leg))
        << "leg " << i << " is no street";
  }
  EXPECT_NEAR(route.length_m, length_m, 0.1 * static_cast<double>(route.points.size()));
}

TEST(RouterTest, EqualsTheOracleOnRandomMaps) {
  int reachable = 0;
  int unreachable = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    auto graph = RandomMap(random).Build({.only_largest_component = false});
    if (!graph.ok()) continue;  // all its streets lead from a point to itself
    const TestWorld world(*std::move(graph));
    std::vector<LatLng> places(6);
    for (LatLng& place : places) place = RandomPlace(world.graph, random);
    std::vector<SnappedPoint> row;  // in any order, and one of them twice
    for (const LatLng place : places) row.push_back(world.Snap(place));
    row.push_back(row[1]);
    for (const LatLng to : places) {
      ASSERT_EQ(world.hierarchy.MsTo(world.Snap(to), row),
                world.dijkstra.MsTo(world.Snap(to), row));
      ASSERT_EQ(world.hierarchy.MsFrom(world.Snap(to), row),
                world.dijkstra.MsFrom(world.Snap(to), row));
      for (const LatLng from : places) {
        const double expected_ms =
            OracleMs(world.graph, *world.snapper.Nearest(from), *world.snapper.Nearest(to));
        const double seconds = world.Seconds(from, to);
        ASSERT_EQ(seconds >= 0, expected_ms < kInfinity);
        ++(seconds >= 0 ? reachable : unreachable);
        if (seconds < 0) continue;
        ASSERT_NEAR(seconds * 1000, expected_ms, 1.01);
        ExpectRouteHolds(world, *world.dijkstra.FindRoute(from, to), from, to);
        ExpectRouteHolds(world, *world.hierarchy.FindRoute(from, to), from, to);
      }
    }
  }
  EXPECT_GT(reachable, 2000);
  EXPECT_GT(unreachable, 500);
}

TEST(RouterTest, ManyToOneEqualsOneByOneInTheCity) {
  const auto streets = Streets::Load("city:3");
  ASSERT_THAT(streets, IsOk());
  const Router& router = (*streets)->router();
  std::mt19937_64 random(3);
  std::vector<LatLng> drivers(100);
  for (LatLng& driver : drivers) driver = RandomPointOnStreet((*streets)->graph(), random);
  int within = 0;
  int beyond = 0;
  for (int i = 0; i < 10; ++i) {
    const LatLng pickup = RandomPointOnStreet((*streets)->graph(), random);
    const auto times = router.TravelTimesTo(pickup, drivers, 6min);
    ASSERT_THAT(times, IsOk());
    for (std::size_t d = 0; d < drivers.size(); ++d) {
      const auto time = router.TravelTime(drivers[d], pickup, StreetUse::kDrive);
      ASSERT_THAT(time, IsOk());
      ++(*time <= 6min ? within : beyond);
      ASSERT_EQ((*times)[d], *time <= 6min ? std::optional(*time) : std::nullopt);
    }
  }
  EXPECT_GT(within, 100);
  EXPECT_GT(beyond, 100);
}

TEST(RouterTest, ThreadsDoNotInterfere) {
  const auto streets = Streets::Load("city:4");
  ASSERT_THAT(streets, IsOk());
  const auto ask = [&](std::vector<Duration>& answers) {
    std::mt19937_64 random(8);
    for (int i = 0; i < 50; ++i) {
      const LatLng from = RandomPointOnStreet((*streets)->graph(), random);
      const LatLng to = RandomPointOnStreet((*streets)->graph(), random);
      answers.push_back((*streets)->router().TravelTime(from, to).value());
    }
  };
  std::vector<Duration> expected;
  ask(expected);
  std::vector<std::vector<Duration>> answers(4);
  std::vector<std::thread> threads;
  threads.reserve(answers.size());
  for (auto& a : answers) threads.emplace_back(ask, std::ref(a));
  for (std::thread& thread : threads) thread.join();
  for (const auto& a : answers) EXPECT_EQ(a, expected);
}

}  // namespace
}  // namespace ridestream::roads
