#include "libs/base/geo.h"

#include <gtest/gtest.h>

namespace ridestream {
namespace {

struct Pair {
  const char* name;
  LatLng a, b;
  double distance_m;
};

TEST(GeoTest, DistancesOfKnownPairs) {
  const Pair pairs[] = {
      {"same place", {1, 2}, {1, 2}, 0},
      {"one degree of latitude", {0, 0}, {10'000'000, 0}, 111'195.1},
      {"Times Square to Wall Street", LatLng::FromDegrees(40.758, -73.9855),
       LatLng::FromDegrees(40.7074, -74.0113), 6031},
      {"over the antimeridian", LatLng::FromDegrees(0, 179.99), LatLng::FromDegrees(0, -179.99),
       2223.9},
  };
  for (const Pair& p : pairs) {
    EXPECT_NEAR(DistanceM(p.a, p.b), p.distance_m, p.distance_m * 1e-3 + 1e-9) << p.name;
    EXPECT_NEAR(FastDistanceM(p.a, p.b), DistanceM(p.a, p.b), DistanceM(p.a, p.b) * 1e-3) << p.name;
  }
}

TEST(GeoTest, OffsetGoesAsFarAsItSays) {
  const LatLng from = LatLng::FromDegrees(41.15, -8.61);
  EXPECT_NEAR(DistanceM(from, OffsetBy(from, 300, 400)), 500, 0.5);
}

TEST(GeoTest, ValidityHasItsEdges) {
  EXPECT_TRUE((LatLng{900'000'000, 1'800'000'000}).IsValid());
  EXPECT_FALSE((LatLng{900'000'001, 0}).IsValid());
  EXPECT_FALSE((LatLng{0, -1'800'000'001}).IsValid());
}

}  // namespace
}  // namespace ridestream
