#include "libs/roads/snapping/snap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "libs/base/draw.h"
#include "libs/roads/city/city.h"
#include "libs/roads/testing/test_map.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

TEST(SnapTest, FindsThePlaceAlongTheSegment) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1000, 0)});
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  const Snapper snapper(*graph);

  const auto snapped = snapper.Snap(TestMap::At(250, 40));
  ASSERT_THAT(snapped, IsOk());
  EXPECT_EQ(snapped->edge, 0U);
  EXPECT_NEAR(snapped->fraction, 0.25, 1e-4);
  EXPECT_NEAR(snapped->distance_m, 40, 0.1);
  EXPECT_LT(DistanceM(snapped->point, TestMap::At(250, 0)), 0.1);

  const auto beyond_end = snapper.Snap(TestMap::At(1030, 40));
  ASSERT_THAT(beyond_end, IsOk());
  EXPECT_EQ(beyond_end->fraction, 1);
  EXPECT_EQ(beyond_end->point, TestMap::At(1000, 0));
  EXPECT_NEAR(beyond_end->distance_m, 50, 0.1);
}

TEST(SnapTest, TooFarFromTheStreetsIsRefusedWithTheDistance) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1000, 0)});
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  const Snapper snapper(*graph);
  EXPECT_THAT(snapper.Snap(TestMap::At(500, 499)), IsOk());
  EXPECT_THAT(snapper.Snap(TestMap::At(500, 510)),
              StatusIs(absl::StatusCode::kNotFound, "is 510 m from the nearest street"));
  EXPECT_THAT(snapper.Snap(TestMap::At(-3214, 0)),
              StatusIs(absl::StatusCode::kNotFound, "is 3,214 m from the nearest street"));
  EXPECT_THAT(snapper.Snap(TestMap::At(500, 60), StreetUse::kDrive, 50),
              StatusIs(absl::StatusCode::kNotFound, "at most 50 m is allowed"));
  EXPECT_THAT(snapper.Snap(LatLng::FromDegrees(-41, 170)),
              StatusIs(absl::StatusCode::kNotFound, ""));
  EXPECT_THAT(snapper.Snap(LatLng::FromDegrees(90, 0)), StatusIs(absl::StatusCode::kNotFound, ""));
  EXPECT_EQ(snapper.Nearest(TestMap::At(500, 510)), std::nullopt);
}

TEST(SnapTest, CoordinatesThatDontExistAreRefused) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1000, 0)});
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  const Snapper snapper(*graph);
  EXPECT_THAT(snapper.Snap(LatLng{910'000'000, 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, "91.0000000,0.0000000 is not a place"));
  EXPECT_EQ(snapper.Nearest(LatLng{0, 1'900'000'000}), std::nullopt);
}

double SegmentDistanceM(const RoadGraph& graph, const Edge& e, LatLng place) {
  double low = 0;
  double high = 1;
  const LatLng a = graph.position(e.from);
  const LatLng b = graph.position(e.to);
  for (int i = 0; i < 60; ++i) {  // the distance along a segment has one minimum
    const double left = low + (high - low) / 3;
    const double right = high - (high - low) / 3;
    const double d_left = FastDistanceM(place, Interpolate(a, b, left));
    const double d_right = FastDistanceM(place, Interpolate(a, b, right));
    (d_left < d_right ? high : low) = d_left < d_right ? right : left;
  }
  return FastDistanceM(place, Interpolate(a, b, low));
}

/// The shortest distance to any segment, by checking all, in a plane around `place`.
double BruteForceDistanceM(const RoadGraph& graph, LatLng place) {
  double best = std::numeric_limits<double>::infinity();
  for (const Edge& e : graph.edges()) best = std::min(best, SegmentDistanceM(graph, e, place));
  return best;
}

void ExpectEqualsBruteForce(const RoadGraph& graph, int tries, double margin_m) {
  const Snapper snapper(graph);
  const LatLng low = OffsetBy(graph.bounds().south_west, -margin_m, -margin_m);
  const LatLng high = OffsetBy(graph.bounds().north_east, margin_m, margin_m);
  std::mt19937_64 random(3);
  for (int i = 0; i < tries; ++i) {
    const LatLng place{static_cast<std::int32_t>(DrawBetween(random, low.lat_e7, high.lat_e7)),
                       static_cast<std::int32_t>(DrawBetween(random, low.lng_e7, high.lng_e7))};
    const auto snapped = snapper.Snap(place, StreetUse::kDrive, 1e6);
    ASSERT_THAT(snapped, IsOk());
    const double expected_m = BruteForceDistanceM(graph, place);
    ASSERT_NEAR(snapped->distance_m, expected_m, 0.05 + 1e-3 * expected_m) << place.ToString();
    const Edge& e = graph.edge(snapped->edge);
    ASSERT_LT(DistanceM(snapped->point, Interpolate(graph.position(e.from), graph.position(e.to),
                                                    snapped->fraction)),
              0.05);
  }
}

TEST(SnapTest, EqualsBruteForceInTheCity) {
  RoadGraphBuilder builder;
  AddTo(builder, MakeCity(5));
  const auto graph = std::move(builder).Build();
  ASSERT_THAT(graph, IsOk());
  ExpectEqualsBruteForce(*graph, 60, 1000);
}

TEST(SnapTest, EqualsBruteForceInAWideLandWithFewStreets) {
  TestMap map;
  std::mt19937_64 random(4);
  const auto center = map.AddNode(0, 0);
  for (int i = 0; i < 20; ++i) {
    const auto east_m = static_cast<double>(DrawBetween(random, -50'000, 50'000));
    const auto north_m = static_cast<double>(DrawBetween(random, -50'000, 50'000));
    map.AddStreet({center, map.AddNode(east_m, north_m)});
  }
  const auto graph = map.Build();
  ASSERT_THAT(graph, IsOk());
  ExpectEqualsBruteForce(*graph, 2000, 5000);
}

TEST(SnapTest, BatchEqualsSingleQueries) {
  RoadGraphBuilder builder;
  AddTo(builder, MakeCity(5));
  const auto graph = std::move(builder).Build();
  ASSERT_THAT(graph, IsOk());
  const Snapper snapper(*graph);
  std::mt19937_64 random(7);
  std::vector<LatLng> places{LatLng{0, 1'900'000'000}, LatLng{0, 0},
                             LatLng{900'000'000, 1'800'000'000},
                             LatLng{-900'000'000, -1'800'000'000}};
  for (int i = 0; i < 100; ++i) {
    const auto off_m = static_cast<double>(DrawBetween(random, -2'000, 2'000));
    places.push_back(OffsetBy(RandomPointOnStreet(*graph, random), off_m, off_m));
  }
  const auto found = snapper.NearestOfEach(places);
  ASSERT_EQ(found.size(), places.size());
  std::size_t far = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(found[i], snapper.Nearest(places[i])) << places[i].ToString();
    if (!found[i]) ++far;
  }
  EXPECT_GT(far, 4U);
  EXPECT_LT(far, places.size() / 2);
  EXPECT_TRUE(snapper.NearestOfEach({}).empty());
}

TEST(SnapTest, AllStreetsWithinADistanceAreFound) {
  RoadGraphBuilder builder;
  AddTo(builder, MakeCity(5));
  const auto graph = std::move(builder).Build();
  ASSERT_THAT(graph, IsOk());
  const Snapper snapper(*graph);
  std::mt19937_64 random(6);
  std::size_t found = 0;
  for (int i = 0; i < 50; ++i) {
    const LatLng place = RandomPointOnStreet(*graph, random);
    const double distance_m = static_cast<double>(DrawBetween(random, 1, 300));
    std::vector<EdgeIndex> expected;
    for (EdgeIndex e = 0; e < graph->edge_count(); ++e) {
      if (graph->Opposite(e) && *graph->Opposite(e) < e) continue;
      if (SegmentDistanceM(*graph, graph->edge(e), place) <= distance_m) expected.push_back(e);
    }
    std::vector<EdgeIndex> edges;
    for (const SnappedPoint& point : snapper.Within(place, distance_m)) {
      EXPECT_NEAR(DistanceM(place, point.point), point.distance_m, 0.05 + 1e-3 * distance_m);
      edges.push_back(point.edge);
    }
    EXPECT_EQ(edges, expected);
    found += edges.size();
  }
  EXPECT_GT(found, 200U);
}

}  // namespace
}  // namespace ridestream::roads
