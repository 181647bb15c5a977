#include "libs/base/geo.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(GeoTest, OffsetMovesByTheGivenDistance) {
  const LatLng from = LatLng::FromDegrees(41.15, -8.61);
  EXPECT_NEAR(DistanceM(from, OffsetBy(from, 300, 400)), 500, 0.5);
}

TEST(GeoTest, LongitudesWrapToOneValueForEachMeridian) {
  struct Case {
    std::int64_t lng_e7;
    std::int32_t name;
  };
  for (const Case& c :
       {Case{0, 0}, Case{-1'800'000'000, -1'800'000'000}, Case{1'800'000'000, -1'800'000'000},
        Case{1'799'999'999, 1'799'999'999}, Case{1'800'000'001, -1'799'999'999},
        Case{-1'800'000'001, 1'799'999'999}, Case{3'600'000'007, 7}, Case{-7'200'000'007, -7}}) {
    EXPECT_EQ(WrapLngE7(c.lng_e7), c.name) << c.lng_e7;
  }
}

TEST(GeoTest, LinesTakeTheShortWayOverTheAntimeridian) {
  const LatLng west = LatLng::FromDegrees(-17, 179.99);
  const LatLng east = LatLng::FromDegrees(-16, -179.97);
  EXPECT_EQ(EastE7(west, east), 400'000);
  EXPECT_EQ(EastE7(east, west), -400'000);
  EXPECT_EQ(Interpolate(west, east, 0), west);
  EXPECT_EQ(Interpolate(west, east, 1), east);
  EXPECT_EQ(Interpolate(west, east, 0.5), LatLng::FromDegrees(-16.5, -179.99));
  EXPECT_EQ(Interpolate(east, west, 0.9), LatLng::FromDegrees(-16.9, 179.994));
  const LatLng beyond = OffsetBy(west, 300, 4'000);
  EXPECT_TRUE(beyond.IsValid());
  EXPECT_NEAR(DistanceM(west, beyond), std::hypot(300, 4'000), 5);
  EXPECT_LT(beyond.lng_e7, 0);
}

TEST(GeoTest, DistancesHoldAtHighLatitudes) {
  const LatLng longyearbyen = LatLng::FromDegrees(78.2232, 15.6267);
  EXPECT_NEAR(DistanceM(longyearbyen, OffsetBy(longyearbyen, 3'000, 4'000)), 5'000, 10);
  const LatLng airport = LatLng::FromDegrees(78.2461, 15.4656);
  EXPECT_NEAR(FastDistanceM(longyearbyen, airport), DistanceM(longyearbyen, airport), 5);
}

TEST(GeoTest, ValidityIncludesTheLimits) {
  EXPECT_TRUE((LatLng{900'000'000, 1'800'000'000}).IsValid());
  EXPECT_FALSE((LatLng{900'000'001, 0}).IsValid());
  EXPECT_FALSE((LatLng{0, -1'800'000'001}).IsValid());
}

}  // namespace
}  // namespace ridestream
