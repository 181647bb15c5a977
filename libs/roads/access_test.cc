// Where cars may drive and stop: from a map's tags to travel times.

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "libs/roads/testing/test_map.h"
#include "libs/roads/testing/test_world.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using WayTags = TestMap::TagList;

const WayTags kDestination = {{"access", "destination"}};

/// West -- one ==tried== two -- East, and a detour north of the tried street. At 10 m/s, from west
/// to east it takes 200 s by the tried street and 400 s by the detour.
std::unique_ptr<TestWorld> Ladder(const WayTags& tried, const WayTags& middle = {}) {
  TestMap map;
  const auto west = map.AddNode(-500, 0);
  const auto one = map.AddNode(0, 0);
  const auto two = map.AddNode(1'000, 0);
  const auto east = map.AddNode(1'500, 0);
  map.AddStreet({west, one});
  map.AddStreet({two, east});
  map.AddStreet({one, map.AddNode(500, 0, middle), two}, tried);
  map.AddStreet({one, map.AddNode(0, 1'000), map.AddNode(1'000, 1'000), two});
  return MakeWorld(map);
}

const LatLng kWestEnd = TestMap::At(-500, 0);
const LatLng kEastEnd = TestMap::At(1'500, 0);

TEST(AccessTest, ThroughTrafficGoesAroundDestinationOnlyStreets) {
  const auto world = Ladder(kDestination);
  EXPECT_NEAR(world->Seconds(kWestEnd, kEastEnd), 400, 1);
  EXPECT_NEAR(world->Seconds(kEastEnd, kWestEnd), 400, 1);
}

TEST(AccessTest, RidesBeginAndEndInDestinationOnlyStreets) {
  const auto world = Ladder(kDestination);
  const LatLng there = TestMap::At(250, 0);
  EXPECT_NEAR(world->Seconds(kWestEnd, there), 75, 1);
  EXPECT_NEAR(world->Seconds(there, kEastEnd), 125, 1);
  EXPECT_NEAR(world->Seconds(kEastEnd, there), 125, 1);
  EXPECT_NEAR(world->Seconds(there, kWestEnd), 75, 1);
  EXPECT_NEAR(world->Seconds(there, TestMap::At(750, 0)), 50, 1);
}

TEST(AccessTest, OnlyTheDirectionThatIsTaggedIsKeptFree) {
  const auto world = Ladder({{"motor_vehicle:backward", "destination"}});
  EXPECT_NEAR(world->Seconds(kWestEnd, kEastEnd), 200, 1);
  EXPECT_NEAR(world->Seconds(kEastEnd, kWestEnd), 400, 1);
}

TEST(AccessTest, ADestinationOnlyStreetThatIsTheOnlyWayIsDrivenThrough) {
  TestMap map;
  const auto west = map.AddNode(-500, 0);
  const auto one = map.AddNode(0, 0);
  const auto two = map.AddNode(1'000, 0);
  const auto east = map.AddNode(1'500, 0);
  map.AddStreet({west, one});
  map.AddStreet({one, two}, kDestination);
  map.AddStreet({two, east});
  LeftOut left_out;
  ASSERT_THAT(map.Build({}, nullptr, &left_out), IsOk());
  EXPECT_EQ(left_out.opened_destination_segments, 2u);
  EXPECT_EQ(left_out.unconnected_segments, 0u);
  EXPECT_NEAR(MakeWorld(map)->Seconds(kWestEnd, kEastEnd), 200, 1);
}

TEST(AccessTest, BothEnginesKeepThroughTrafficOutOfARandomCity) {
  std::mt19937_64 random(1);
  TestMap map;
  constexpr int kSize = 8;
  std::int64_t node[kSize][kSize];
  for (int y = 0; y < kSize; ++y) {
    for (int x = 0; x < kSize; ++x) node[y][x] = map.AddNode(200 * x, 200 * y);
  }
  const auto tags = [&] { return random() % 3 == 0 ? kDestination : WayTags{}; };
  for (int y = 0; y < kSize; ++y) {
    for (int x = 0; x < kSize; ++x) {
      if (x + 1 < kSize) map.AddStreet({node[y][x], node[y][x + 1]}, tags());
      if (y + 1 < kSize) map.AddStreet({node[y][x], node[y + 1][x]}, tags());
    }
  }
  const auto world = MakeWorld(map);
  for (int i = 0; i < 300; ++i) {
    const LatLng from = RandomPointOnStreet(world->graph, random);
    const LatLng to = RandomPointOnStreet(world->graph, random);
    EXPECT_GE(world->Seconds(from, to), 0);  // Compares the engines.
  }
}

TEST(AccessTest, ClosedBarrierBlocksTheWayAndBothSidesStayReachable) {
  for (const WayTags& closed : {WayTags{{"barrier", "bollard"}}, WayTags{{"barrier", "block"}},
                                WayTags{{"barrier", "gate"}, {"access", "private"}},
                                WayTags{{"barrier", "gate"}, {"motor_vehicle", "no"}}}) {
    const auto world = Ladder({}, closed);
    EXPECT_NEAR(world->Seconds(kWestEnd, kEastEnd), 400, 1);
    EXPECT_NEAR(world->Seconds(kEastEnd, kWestEnd), 400, 1);
    EXPECT_NEAR(world->Seconds(kWestEnd, TestMap::At(450, 0)), 95, 1);
    EXPECT_NEAR(world->Seconds(kEastEnd, TestMap::At(550, 0)), 95, 1);
    // The way around, from one side of the barrier to the other.
    EXPECT_NEAR(world->Seconds(TestMap::At(450, 0), TestMap::At(550, 0)), 390, 2);
  }
}

TEST(AccessTest, AnOpenBarrierIsPassed) {
  for (const WayTags& open : {WayTags{{"barrier", "gate"}}, WayTags{{"barrier", "toll_booth"}},
                              WayTags{{"barrier", "bollard"}, {"motor_vehicle", "yes"}}}) {
    EXPECT_NEAR(Ladder({}, open)->Seconds(kWestEnd, kEastEnd), 200, 1);
  }
}

TEST(AccessTest, StopsAreOnlyWhereACarMayStop) {
  TestMap map;
  const auto west = map.AddNode(-500, 0);
  const auto east = map.AddNode(1'500, 0);
  map.AddStreet({west, east});
  map.AddStreet({west, map.AddNode(-500, 60), map.AddNode(1'500, 60), east}, {{"tunnel", "yes"}});
  const auto world = MakeWorld(map);
  const LatLng place = TestMap::At(500, 45);
  const auto driving = world->snapper.Nearest(place, StreetUse::kDrive);
  const auto stop = world->snapper.Nearest(place, StreetUse::kStop);
  ASSERT_TRUE(driving && stop);
  EXPECT_NEAR(driving->distance_m, 15, 0.5);
  EXPECT_NEAR(stop->distance_m, 45, 0.5);
  EXPECT_FALSE(world->graph.edge(driving->edge).may_stop);
  EXPECT_TRUE(world->graph.edge(stop->edge).may_stop);
  EXPECT_EQ(world->snapper.NearestOfEach({&place, 1}, StreetUse::kStop)[0]->edge, stop->edge);
}

TEST(AccessTest, MapWithoutAStreetToStopOnIsRefused) {
  TestMap map;
  map.AddStreet({map.AddNode(0, 0), map.AddNode(1'000, 0)}, {{"tunnel", "yes"}});
  EXPECT_THAT(MakeWorld(map)->snapper.Snap(TestMap::At(10, 10), StreetUse::kStop),
              testing::StatusIs(absl::StatusCode::kNotFound, "no street where a car may stop"));
}

TEST(AccessTest, AFerryTakesItsDuration) {
  TestMap map;
  const auto west = map.AddNode(-500, 0);
  const auto pier = map.AddNode(0, 0);
  const auto island = map.AddNode(4'000, 0);
  map.AddStreet({west, pier});
  map.AddStreet({island, map.AddNode(4'500, 0)});
  map.AddWay({pier, map.AddNode(1'000, 0), island},
             {{"route", "ferry"}, {"motor_vehicle", "yes"}, {"duration", "0:30"}});
  EXPECT_NEAR(MakeWorld(map)->Seconds(TestMap::At(-500, 0), TestMap::At(4'500, 0)), 1'900, 1);
}

TEST(AccessTest, CountsWhatIsLeftOut) {
  TestMap map;
  const auto middle = map.AddNode(500, 0, {{"barrier", "bollard"}});
  const auto end = map.AddNode(1'000, 0);
  map.AddStreet({map.AddNode(0, 0), middle, end, map.AddNode(2'000, 0)});
  map.AddStreet({map.AddNode(0, 5'000), map.AddNode(500, 5'000)});
  map.AddWay({end, map.AddNode(1'000, 900)}, {{"route", "ferry"}, {"foot", "yes"}});
  map.AddWay({end, map.AddNode(1'000, 800)}, {{"highway", "unheard_of"}});
  LeftOut left_out;
  ASSERT_THAT(map.Build({}, nullptr, &left_out), IsOk());
  EXPECT_EQ(left_out.closed_barriers, 1u);
  // The island, and the street behind the bollard.
  EXPECT_EQ(left_out.unconnected_segments, 4u);
  EXPECT_EQ(left_out.tags.ferries, 1u);
  EXPECT_EQ(left_out.tags.unknown_highways, 1u);
  EXPECT_EQ(Describe(left_out),
            "left out: 4 segments that are not connected to the others, 1 streets at closed "
            "barriers, 1 ferries not known to take cars, 1 ways of unknown kinds");
  EXPECT_EQ(Describe(LeftOut{}), "");
}

}  // namespace
}  // namespace ridestream::roads
