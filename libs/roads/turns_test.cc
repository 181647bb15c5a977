// The effect of a map's turn restrictions on drives, with every engine, on small maps.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libs/roads/testing/test_map.h"
#include "libs/roads/testing/test_world.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;

/// Four dead ends of 500 m around a junction. Each has a point 100 m from the junction that only
/// gives it its shape: nobody may turn round there to evade a restriction.
struct Crossing {
  TestMap map;
  std::int64_t middle = map.AddNode(0, 0);
  std::int64_t west = Arm(-1, 0);
  std::int64_t north = Arm(0, 1);
  std::int64_t east = Arm(1, 0);
  std::int64_t south = Arm(0, -1);

  std::int64_t Arm(int east_of, int north_of) {
    return map.AddStreet({map.AddNode(500 * east_of, 500 * north_of),
                          map.AddNode(100 * east_of, 100 * north_of), middle});
  }
  void Restrict(const std::string& kind, std::int64_t from, std::int64_t to,
                const TestMap::TagList& more = {}) {
    map.AddRestriction(
        kind, {TestMap::Way(from, "from"), TestMap::Node(middle, "via"), TestMap::Way(to, "to")},
        more);
  }
};

const LatLng kWest = TestMap::At(-250, 0);
const LatLng kNorth = TestMap::At(0, 250);
const LatLng kEast = TestMap::At(250, 0);
const LatLng kSouth = TestMap::At(0, -250);
constexpr double kFree = 50;       // 500 m at 36 km/h
constexpr double kRoundOff = 0.5;  // the earth isn't flat
/// On to the end of another street, back to the junction, and on from there.
constexpr double kByDeadEnd = 150;

struct TurnCase {
  const char* kind;
  std::int64_t Crossing::*to;  // of a restriction that begins in the west
  double left, straight, right;
};

TEST(TurnsTest, EachKindOfTurnIsForbiddenOrMadeTheOnlyOne) {
  const TurnCase cases[] = {
      {"no_left_turn", &Crossing::north, kByDeadEnd, kFree, kFree},
      {"no_straight_on", &Crossing::east, kFree, kByDeadEnd, kFree},
      {"no_right_turn", &Crossing::south, kFree, kFree, kByDeadEnd},
      {"no_entry", &Crossing::east, kFree, kByDeadEnd, kFree},
      {"no_exit", &Crossing::north, kByDeadEnd, kFree, kFree},
      {"only_left_turn", &Crossing::north, kFree, kByDeadEnd, kByDeadEnd},
      {"only_straight_on", &Crossing::east, kByDeadEnd, kFree, kByDeadEnd},
      {"only_right_turn", &Crossing::south, kByDeadEnd, kByDeadEnd, kFree},
  };
  for (const TurnCase& c : cases) {
    SCOPED_TRACE(c.kind);
    Crossing crossing;
    crossing.Restrict(c.kind, crossing.west, crossing.*c.to);
    const auto world = MakeWorld(crossing.map);
    EXPECT_NEAR(world->Seconds(kWest, kNorth), c.left, kRoundOff);
    EXPECT_NEAR(world->Seconds(kWest, kEast), c.straight, kRoundOff);
    EXPECT_NEAR(world->Seconds(kWest, kSouth), c.right, kRoundOff);
    // Cars that come from elsewhere are not restricted.
    for (const LatLng to : {kWest, kNorth, kEast}) {
      EXPECT_NEAR(world->Seconds(kSouth, to), kFree, kRoundOff);
    }
  }
}

TEST(TurnsTest, SeveralRestrictionsAtOneJunctionAddUp) {
  Crossing crossing;
  crossing.Restrict("no_left_turn", crossing.west, crossing.north);
  crossing.Restrict("no_straight_on", crossing.west, crossing.east);
  crossing.Restrict("no_left_turn", crossing.south, crossing.west);
  const auto world = MakeWorld(crossing.map);
  EXPECT_NEAR(world->Seconds(kWest, kNorth), kByDeadEnd, kRoundOff);  // by the south
  EXPECT_NEAR(world->Seconds(kWest, kEast), kByDeadEnd, kRoundOff);
  EXPECT_NEAR(world->Seconds(kWest, kSouth), kFree, kRoundOff);
  EXPECT_NEAR(world->Seconds(kSouth, kWest), kByDeadEnd, kRoundOff);
  EXPECT_NEAR(world->Seconds(kSouth, kNorth), kFree, kRoundOff);
}

TEST(TurnsTest, EntryAndExitMayNameSeveralStreets) {
  Crossing crossing;
  crossing.map.AddRestriction(
      "no_entry", {TestMap::Way(crossing.west, "from"), TestMap::Way(crossing.east, "from"),
                   TestMap::Node(crossing.middle, "via"), TestMap::Way(crossing.north, "to")});
  const auto world = MakeWorld(crossing.map);
  EXPECT_NEAR(world->Seconds(kWest, kNorth), kByDeadEnd, kRoundOff);
  EXPECT_NEAR(world->Seconds(kEast, kNorth), kByDeadEnd, kRoundOff);
  EXPECT_NEAR(world->Seconds(kSouth, kNorth), kFree, kRoundOff);
}

TEST(TurnsTest, UTurnOnADualCarriagewayCanBeForbidden) {
  TestMap map;
  const auto in = map.AddNode(-500, -10);
  const auto out = map.AddNode(-500, 10);
  const auto middle = map.AddNode(0, 0);
  const auto to_middle = map.AddStreet({in, middle}, kOneway);
  const auto from_middle = map.AddStreet({middle, out}, kOneway);
  map.AddStreet({out, in});
  map.AddStreet({middle, map.AddNode(100, 0), map.AddNode(500, 0)});
  const LatLng start = TestMap::At(-250, -5);
  const LatLng goal = TestMap::At(-250, 5);
  EXPECT_NEAR(MakeWorld(map)->Seconds(start, goal), 50, kRoundOff);
  map.AddRestriction("no_u_turn", {TestMap::Way(to_middle, "from"), TestMap::Node(middle, "via"),
                                   TestMap::Way(from_middle, "to")});
  EXPECT_NEAR(MakeWorld(map)->Seconds(start, goal), 150, kRoundOff);  // by the dead end
}

TEST(TurnsTest, UTurnOnOneStreetCanBeForbidden) {
  // A car from the east may only go north, where it must turn to get back to the east. A one-way
  // street leads from the west, so the place in the east isn't where the drive begins.
  TestMap map;
  const auto middle = map.AddNode(0, 0);
  const auto end = map.AddNode(300, 0);
  const auto east = map.AddStreet({middle, end});
  map.AddStreet({map.AddNode(0, 500), middle});
  map.AddRestriction("no_u_turn", {TestMap::Way(east, "from"), TestMap::Node(middle, "via"),
                                   TestMap::Way(east, "to")});
  RestrictionCounts counts;
  const auto graph = map.Build({}, &counts);
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(counts, RestrictionCounts{.applied = 1});
  ASSERT_EQ(graph->forbidden_paths().size(), 1U);
  const EdgePath& path = graph->forbidden_paths().front();
  EXPECT_EQ(graph->position(graph->edge(path[0]).from), TestMap::At(300, 0));
  EXPECT_EQ(graph->Opposite(path[0]), path[1]);
}

TEST(TurnsTest, CarWithoutAnotherWayMayTurnRound) {
  TestMap map;
  const auto bend = map.AddNode(0, 0);
  const auto west = map.AddStreet({map.AddNode(-500, 0), bend});
  const auto east = map.AddStreet({bend, map.AddNode(500, 0)});
  map.AddRestriction("no_straight_on", {TestMap::Way(west, "from"), TestMap::Node(bend, "via"),
                                        TestMap::Way(east, "to")});
  const auto world = MakeWorld(map, {.only_largest_component = false});
  EXPECT_EQ(world->Seconds(kWest, kEast), -1);
  EXPECT_NEAR(world->Seconds(kEast, kWest), kFree, kRoundOff);
  const NodeIndex node = world->graph.edge(world->graph.forbidden_paths()[0][0]).to;
  EXPECT_EQ(world->turns.Arcs(world->turns.After(world->graph.forbidden_paths()[0][0])).size(), 1U)
      << "at " << world->graph.position(node).ToString();
}

/// Two junctions 100 m apart, with a way between them; a and c lead to the first, b and d leave the
/// second.
struct Staggered {
  TestMap map;
  std::int64_t first = map.AddNode(0, 0);
  std::int64_t second = map.AddNode(100, 0);
  std::int64_t between = map.AddStreet({first, map.AddNode(50, 0), second});
  std::int64_t a = map.AddStreet({map.AddNode(0, -500), first});
  std::int64_t c = map.AddStreet({map.AddNode(0, 500), first});
  std::int64_t b = map.AddStreet({second, map.AddNode(100, 500)});
  std::int64_t d = map.AddStreet({second, map.AddNode(600, 0)});

  void Restrict(const std::string& kind, std::int64_t from, std::int64_t to) {
    map.AddRestriction(
        kind, {TestMap::Way(from, "from"), TestMap::Way(between, "via"), TestMap::Way(to, "to")});
  }
};

TEST(TurnsTest, RestrictionByWayOfAStreetAppliesOnlyFromThere) {
  const LatLng a = TestMap::At(0, -250);
  const LatLng c = TestMap::At(0, 250);
  const LatLng b = TestMap::At(100, 250);
  const LatLng d = TestMap::At(350, 0);
  for (const auto& [kind, to] :
       {std::pair("no_left_turn", &Staggered::b), std::pair("only_straight_on", &Staggered::d)}) {
    SCOPED_TRACE(kind);
    Staggered streets;
    streets.Restrict(kind, streets.a, streets.*to);
    const auto world = MakeWorld(streets.map);
    EXPECT_NEAR(world->Seconds(a, d), 60, kRoundOff);
    EXPECT_NEAR(world->Seconds(c, b), 60, kRoundOff);
    EXPECT_NEAR(world->Seconds(a, b), 160, kRoundOff);  // by a dead end
    EXPECT_NEAR(world->Seconds(d, b), 50, kRoundOff);
    EXPECT_NEAR(world->Seconds(TestMap::At(25, 0), b), 32.5,
                kRoundOff);  // began on the way between
  }
}

TEST(TurnsTest, InapplicableRestrictionsAreCountedAndHarmless) {
  Crossing crossing;
  const auto corner = crossing.map.AddNode(300, 300);
  const auto lane = crossing.map.AddStreet({crossing.middle, corner}, kOneway);
  const auto apart =
      crossing.map.AddStreet({crossing.map.AddNode(0, 900), crossing.map.AddNode(9, 900)});
  crossing.map.AddStreet({corner, crossing.map.AddNode(400, 0), crossing.middle}, kOneway);
  crossing.Restrict("no_left_turn", 999, crossing.north);   // missing
  crossing.Restrict("no_left_turn", crossing.west, 999);    // missing
  crossing.Restrict("only_left_turn", crossing.west, 999);  // missing
  crossing.map.AddRestriction("no_left_turn",
                              {TestMap::Way(crossing.west, "from"), TestMap::Node(999, "via"),
                               TestMap::Way(crossing.north, "to")});  // missing
  crossing.map.AddRestriction("no_left_turn",
                              {TestMap::Way(crossing.west, "from"), TestMap::Way(999, "via"),
                               TestMap::Way(crossing.north, "to")});                   // missing
  crossing.Restrict("no_left_turn", apart, crossing.north);                            // unclear
  crossing.map.AddRestriction("no_left_turn", {TestMap::Way(crossing.west, "from")});  // unclear
  crossing.Restrict("no_left_turn", lane, crossing.north);  // without effect
  crossing.Restrict("no_left_turn", crossing.west, crossing.north, {{"except", "motorcar"}});
  RestrictionCounts counts;
  auto graph = crossing.map.Build({}, &counts);
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(counts, (RestrictionCounts{
                        .not_for_cars = 1, .missing = 5, .unclear = 2, .without_effect = 1}));
  EXPECT_TRUE(graph->forbidden_paths().empty());
  const TestWorld world(*std::move(graph));
  EXPECT_NEAR(world.Seconds(kWest, kNorth), kFree, kRoundOff);
}

TEST(TurnsTest, StreetsThatOnlyAForbiddenTurnReachesAreLeftOut) {
  TestMap map;
  const auto middle = map.AddNode(0, 0);
  const auto end = map.AddNode(-500, 0);
  const auto west = map.AddStreet({end, middle});
  const auto north = map.AddStreet({middle, map.AddNode(0, 500), end}, kOneway);
  const auto before = map.Build();
  ASSERT_THAT(before, IsOk());
  map.AddRestriction("no_left_turn", {TestMap::Way(west, "from"), TestMap::Node(middle, "via"),
                                      TestMap::Way(north, "to")});
  const auto after = map.Build();
  ASSERT_THAT(after, IsOk());
  EXPECT_GT(before->edge_count(), after->edge_count());
  EXPECT_EQ(after->edge_count(), 2U);
}

}  // namespace
}  // namespace ridestream::roads
