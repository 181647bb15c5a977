#include "loadtest/driver/cruise.h"

#include <gtest/gtest.h>

#include "libs/roads/testing/test_map.h"
#include "libs/roads/testing/test_world.h"

namespace ridestream::loadtest {
namespace {

using roads::TestMap;

class CruiseTest : public ::testing::Test {
 protected:
  /// A junction in the middle of a street, from which another one leads north.
  CruiseTest() {
    west_ = map_.AddStreet({map_.AddNode(-300, 0), middle_});
    map_.AddStreet({middle_, map_.AddNode(400, 0)});
    north_ = map_.AddStreet({middle_, map_.AddNode(0, 400)});
  }

  /// How many of a hundred cruises from a place use the street to the north.
  int CountNorth(const roads::TestWorld& world, LatLng from) {
    const StreetCruises cruises(world.hierarchy, world.turns);
    int count = 0;
    for (int i = 0; i < 100; ++i) {
      const Course course = cruises.Draw(from, random_);
      EXPECT_GE(course.duration_ms(), 60'000);
      bool north = false;
      for (std::int64_t ms = 0; ms < course.duration_ms(); ms += 1'000) {
        north = north || course.PlaceAt(ms).lat_e7 > TestMap::At(0, 20).lat_e7;
      }
      if (north) ++count;
    }
    return count;
  }

  TestMap map_;
  const std::int64_t middle_ = map_.AddNode(0, 0);
  std::int64_t west_ = 0;
  std::int64_t north_ = 0;
  Random random_{1};
};

TEST_F(CruiseTest, TakesOnlyTurnsThatAreAllowed) {
  EXPECT_GT(CountNorth(*roads::MakeWorld(map_), TestMap::At(-150, 0)), 20);
  map_.AddRestriction("no_left_turn", {TestMap::Way(west_, "from"), TestMap::Node(middle_, "via"),
                                       TestMap::Way(north_, "to")});
  const auto restricted = roads::MakeWorld(map_);
  ASSERT_EQ(restricted->graph.forbidden_paths().size(), 1u);
  EXPECT_EQ(CountNorth(*restricted, TestMap::At(-150, 0)), 0);
  EXPECT_GT(CountNorth(*restricted, TestMap::At(200, 0)), 10);
}

TEST_F(CruiseTest, DrawsNoCruiseOffTheStreets) {
  const auto world = roads::MakeWorld(map_);
  EXPECT_TRUE(StreetCruises(world->hierarchy, world->turns).Draw(LatLng{0, 0}, random_).empty());
}

}  // namespace
}  // namespace ridestream::loadtest
