// The same small town gives the same answers anywhere on its latitude, also across the
// antimeridian.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "libs/base/geo.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/roads/snapping/snap.h"
#include "libs/roads/streets.h"
#include "libs/roads/testing/test_town.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

struct Town {
  const char* name;
  LatLng middle;
  std::int64_t shift_e7;  // to the town that it is compared with
};

class PlacesOnEarthTest : public ::testing::TestWithParam<Town> {
 protected:
  PlacesOnEarthTest()
      : town_(GetParam().middle),
        other_town_(ShiftedEast(GetParam().middle, GetParam().shift_e7)),
        streets_(town_.Load()),
        other_(other_town_.Load()) {}

  LatLng Shifted(LatLng place) const { return ShiftedEast(place, GetParam().shift_e7); }
  SnappedPoint Shifted(SnappedPoint snapped) const {
    snapped.point = Shifted(snapped.point);
    return snapped;
  }

  /// In the town, and some blocks around it.
  LatLng Somewhere() {
    std::uniform_real_distribution<double> blocks(-5, 5);
    const double north = blocks(random_);
    return town_.At(north, blocks(random_));
  }

  std::mt19937_64 random_{1};
  const TestTown town_;
  const TestTown other_town_;
  const std::unique_ptr<Streets> streets_;
  const std::unique_ptr<Streets> other_;
};

TEST_P(PlacesOnEarthTest, LoadsTheSameGraph) {
  const RoadGraph& graph = streets_->graph();
  const RoadGraph& other = other_->graph();
  ASSERT_EQ(graph.node_count(), other.node_count());
  for (NodeIndex node = 0; node < graph.node_count(); ++node) {
    EXPECT_EQ(Shifted(graph.position(node)), other.position(node));
  }
  EXPECT_TRUE(std::ranges::equal(graph.edges(), other.edges()));
  EXPECT_TRUE(std::ranges::equal(graph.forbidden_paths(), other.forbidden_paths()));
  EXPECT_EQ(graph.forbidden_paths().size(), 1U);
  EXPECT_EQ(streets_->description().substr(streets_->description().find("junctions")),
            other_->description().substr(other_->description().find("junctions")));
  // A block is 222 m long.
  for (const Edge& edge : graph.edges()) {
    EXPECT_NEAR(edge.length_dm, graph.name(graph.FirstOut(edge.from)).empty() ? 0 : 2'224,
                edge.length_dm > 3'000 ? 1'000 : 10);
  }
}

TEST_P(PlacesOnEarthTest, LiesInTheSmallestRectangle) {
  const BoundingBox& box = streets_->graph().bounds();
  EXPECT_EQ(box.south_west, town_.At(-3, -3));
  EXPECT_EQ(box.north_east, town_.At(3, 3));
  EXPECT_EQ(box.width_e7(), other_->graph().bounds().width_e7());
  for (int i = 0; i < 1'000; ++i) {
    const LatLng place = Somewhere();
    EXPECT_EQ(box.Contains(place), other_->graph().bounds().Contains(Shifted(place)));
    EXPECT_EQ(streets_->Covers(place), other_->Covers(Shifted(place)));
  }
  EXPECT_TRUE(box.Contains(town_.At(0, 0)));
  EXPECT_TRUE(box.Contains(town_.At(2.9, -2.9)));
  EXPECT_FALSE(box.Contains(town_.At(0, 3.1)));
  EXPECT_FALSE(box.Contains(town_.At(0, -3.1)));
  EXPECT_TRUE(streets_->Covers(town_.At(0, 5)));
  EXPECT_TRUE(streets_->Covers(town_.At(0, -5)));
  EXPECT_FALSE(streets_->Covers(town_.At(0, 5.5)));
  EXPECT_FALSE(streets_->Covers(town_.At(0, -5.5)));
  EXPECT_FALSE(streets_->Covers(ShiftedEast(town_.At(0, 0), 1'800'000'000)));
}

TEST_P(PlacesOnEarthTest, SnapsToTheNearestStreet) {
  for (int i = 0; i < 1'000; ++i) {
    const LatLng place = Somewhere();
    const auto snapped = streets_->snapper().Nearest(place);
    const auto other = other_->snapper().Nearest(Shifted(place));
    ASSERT_EQ(snapped.has_value(), other.has_value()) << place.ToString();
    if (!snapped) continue;
    ASSERT_EQ(Shifted(*snapped), *other) << place.ToString();
    ASSERT_NEAR(snapped->distance_m, DistanceM(place, snapped->point), 0.2);
    // No place of any street is nearer.
    const RoadGraph& graph = streets_->graph();
    double nearest_m = snapped->distance_m;
    for (const Edge& e : graph.edges()) {
      for (double at = 0; at <= 1; at += 0.05) {
        nearest_m = std::min(nearest_m, DistanceM(place, Interpolate(graph.position(e.from),
                                                                     graph.position(e.to), at)));
      }
    }
    ASSERT_GT(nearest_m, snapped->distance_m - 0.2) << place.ToString();
  }
  EXPECT_THAT(streets_->snapper().Snap(town_.At(0, 6)),
              StatusIs(absl::StatusCode::kNotFound, "is 667 m from the nearest street"));
  EXPECT_THAT(streets_->snapper().Snap(town_.At(0, -6)),
              StatusIs(absl::StatusCode::kNotFound, "is 667 m from the nearest street"));
}

TEST_P(PlacesOnEarthTest, FindsAllStreetsAround) {
  for (int i = 0; i < 200; ++i) {
    const LatLng place = Somewhere();
    std::vector<SnappedPoint> points = streets_->snapper().Within(place, 300);
    std::ranges::transform(points, points.begin(), [&](const auto& p) { return Shifted(p); });
    EXPECT_EQ(points, other_->snapper().Within(Shifted(place), 300));
  }
  EXPECT_GE(streets_->snapper().Within(town_.At(0, 0), 300).size(), 4U);
}

TEST_P(PlacesOnEarthTest, RoutesByTheSameWays) {
  const auto as_shifted = [&](Route route) {
    for (LatLng& point : route.points) point = Shifted(point);
    return route;
  };
  int crossing = 0;
  for (int i = 0; i < 500; ++i) {
    const auto from = streets_->snapper().Nearest(Somewhere());
    const auto to = streets_->snapper().Nearest(Somewhere());
    if (!from || !to) continue;
    const auto route = streets_->router().RouteBetween(*from, *to);
    const auto other = other_->router().RouteBetween(Shifted(*from), Shifted(*to));
    ASSERT_TRUE(route && other);
    const Route shifted = as_shifted(*route);
    EXPECT_EQ(shifted.points, other->points);
    EXPECT_EQ(shifted.leg_ms, other->leg_ms);
    EXPECT_EQ(shifted.duration, other->duration);
    EXPECT_EQ(shifted.length_m, other->length_m);
    double line_m = 0;
    for (std::size_t p = 1; p < route->points.size(); ++p) {
      line_m += DistanceM(route->points[p - 1], route->points[p]);
    }
    EXPECT_NEAR(route->length_m, line_m, 2);
    const bool from_west = EastE7(GetParam().middle, from->point) < 0;
    const bool to_west = EastE7(GetParam().middle, to->point) < 0;
    crossing += from_west != to_west;
  }
  EXPECT_GT(crossing, 100);
}

TEST_P(PlacesOnEarthTest, MatchesADriveToItsDirection) {
  for (const double way : {1.0, -1.0}) {
    std::vector<LatLng> track, shifted;
    for (const double at : {-0.5, -0.3, -0.1, 0.1, 0.3}) {
      track.push_back(town_.At(0.02, at * way));
      shifted.push_back(Shifted(track.back()));
    }
    const auto matched = streets_->map_matcher().Match(track);
    const auto other = other_->map_matcher().Match(shifted);
    ASSERT_TRUE(matched && other);
    EXPECT_EQ(Shifted(*matched), *other);
    EXPECT_TRUE(matched->under_way);
    const Edge& edge = streets_->graph().edge(matched->edge);
    const int east_e7 =
        EastE7(streets_->graph().position(edge.from), streets_->graph().position(edge.to));
    EXPECT_GT(east_e7 * way, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Towns, PlacesOnEarthTest,
                         ::testing::Values(Town{"Taveuni", kTaveuni, -300'000'000},
                                           // Just beside the antimeridian, on either side.
                                           Town{"West", ShiftedEast(kTaveuni, -1), 3'000'000},
                                           Town{"East", ShiftedEast(kTaveuni, 70'001), 50'000'000},
                                           Town{"Longyearbyen", kLongyearbyen, 70'000'000},
                                           Town{"WrangelIsland",
                                                ShiftedEast({782'200'000, 0}, 1'800'000'000),
                                                -900'000'000}),
                         [](const auto& town) { return town.param.name; });

TEST(AntimeridianTest, StreetsThatAMapCutsAtTheAntimeridianAreJoined) {
  const std::unique_ptr<Streets> whole = TestTown(kTaveuni).Load();
  const std::unique_ptr<Streets> cut = TestTown(kTaveuni, /*cut=*/true).Load();
  EXPECT_EQ(cut->graph().node_count(), whole->graph().node_count());
  EXPECT_EQ(cut->graph().edge_count(), whole->graph().edge_count());
  EXPECT_EQ(cut->graph().junction_count(), whole->graph().junction_count());
  EXPECT_EQ(cut->graph().bounds().width_e7(), whole->graph().bounds().width_e7());
  EXPECT_EQ(cut->graph().forbidden_paths().size(), 1U);
  const TestTown town(kTaveuni);
  for (int north = -3; north <= 3; ++north) {
    for (const int to_north : {-3, 0, 3}) {
      const LatLng from = town.At(north, -2.5), to = town.At(to_north, 2.5);
      const auto there = cut->router().FindRoute(from, to);
      const auto expected = whole->router().FindRoute(from, to);
      ASSERT_THAT(there, IsOk());
      ASSERT_THAT(expected, IsOk());
      EXPECT_EQ(there->duration, expected->duration);
      EXPECT_EQ(*cut->router().TravelTime(to, from), *whole->router().TravelTime(to, from));
    }
  }
}

TEST(AntimeridianTest, PointsOnTheSameSideAreNotJoined) {
  RoadGraphBuilder builder;
  Tags tags;
  tags.Add("highway", "residential");
  const std::vector<std::int64_t> nodes = {1, 2, 3};
  builder.AddWay(1, nodes, tags);
  builder.SetPosition(1, {-168'000'000, 1'800'000'000});
  builder.SetPosition(2, {-168'000'010, 1'799'900'000});
  builder.SetPosition(3, {-168'000'005, 1'800'000'000});  // 6 cm from the first
  const auto graph = std::move(builder).Build();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->node_count(), 3U);
  EXPECT_EQ(graph->position(0).lng_e7, -1'800'000'000) << "the meridian has one name";
}

}  // namespace
}  // namespace ridestream::roads
