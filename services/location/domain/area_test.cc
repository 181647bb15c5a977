#include "services/location/domain/area.h"

#include <gtest/gtest.h>

namespace ridestream::location {
namespace {

Area AreaOf(double south, double west, double north, double east) {
  return {LatLng::FromDegrees(south, west), LatLng::FromDegrees(north, east)};
}

TEST(AreaTest, HasExtentOnlyWhenItIsNotEmpty) {
  EXPECT_TRUE(AreaOf(0, 0, 1, 1).HasExtent());
  EXPECT_TRUE(AreaOf(0, 170, 1, -170).HasExtent()) << "over the antimeridian";
  EXPECT_TRUE(AreaOf(-90, -180, 90, 180).HasExtent()) << "the earth";
  EXPECT_FALSE(AreaOf(1, 0, 0, 1).HasExtent()) << "south above north";
  EXPECT_FALSE(AreaOf(1, 0, 1, 1).HasExtent()) << "no height";
  EXPECT_FALSE(AreaOf(0, 1, 1, 1).HasExtent()) << "no width";
  EXPECT_FALSE(AreaOf(0, 180, 1, -180).HasExtent()) << "no width, at the antimeridian";
}

TEST(AreaTest, ContainsItsEdgesAndItsInterior) {
  struct Case {
    const char* name;
    Area area;
    LatLng place;
    bool inside;
  };
  const Case cases[] = {
      {"middle", AreaOf(0, 0, 2, 2), LatLng::FromDegrees(1, 1), true},
      {"corner", AreaOf(0, 0, 2, 2), LatLng::FromDegrees(2, 0), true},
      {"north of it", AreaOf(0, 0, 2, 2), LatLng::FromDegrees(2.0000001, 1), false},
      {"west of it", AreaOf(0, 0, 2, 2), LatLng::FromDegrees(1, -0.0000001), false},
      {"wrapped, east part", AreaOf(0, 170, 2, -170), LatLng::FromDegrees(1, -175), true},
      {"wrapped, west part", AreaOf(0, 170, 2, -170), LatLng::FromDegrees(1, 175), true},
      {"wrapped, outside", AreaOf(0, 170, 2, -170), LatLng::FromDegrees(1, 0), false},
      {"-180 is 180", AreaOf(0, 170, 2, 180), LatLng::FromDegrees(1, -180), true},
      {"180 is -180", AreaOf(0, -180, 2, -170), LatLng::FromDegrees(1, 180), true},
  };
  for (const Case& c : cases) EXPECT_EQ(c.area.Contains(c.place), c.inside) << c.name;
}

TEST(AreaTest, IntersectsAreasThatShareAPoint) {
  struct Case {
    const char* name;
    Area a, b;
    bool meet;
  };
  const Case cases[] = {
      {"apart in longitude", AreaOf(0, 0, 1, 1), AreaOf(0, 2, 1, 3), false},
      {"apart in latitude", AreaOf(0, 0, 1, 1), AreaOf(2, 0, 3, 1), false},
      {"touch", AreaOf(0, 0, 1, 1), AreaOf(1, 1, 2, 2), true},
      {"one within the other", AreaOf(0, 0, 9, 9), AreaOf(3, 3, 4, 4), true},
      {"a cross", AreaOf(0, 3, 9, 4), AreaOf(3, 0, 4, 9), true},
      {"both wrapped", AreaOf(0, 170, 1, -170), AreaOf(0, 179, 1, -179), true},
      {"one wrapped", AreaOf(0, 170, 1, -170), AreaOf(0, -171, 1, -160), true},
      {"one wrapped, apart", AreaOf(0, 170, 1, -170), AreaOf(0, -10, 1, 10), false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(c.a.Intersects(c.b), c.meet) << c.name;
    EXPECT_EQ(c.b.Intersects(c.a), c.meet) << c.name << ", the other way round";
  }
}

}  // namespace
}  // namespace ridestream::location
