#include "services/trip/streets/street_lines.h"

#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "gtest/gtest.h"
#include "libs/roads/streets.h"
#include "libs/roads/testing/test_map.h"
#include "libs/roads/testing/test_town.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::trip {
namespace {

using market::v1::Street;
using testing::IsOk;

using Place = std::pair<std::int32_t, std::int32_t>;
/// From, to, and whether it is one-way.
using Piece = std::tuple<Place, Place, bool>;

std::vector<Place> Course(const Street& street) {
  std::vector<Place> course;
  Place at{0, 0};
  for (int i = 0; i < street.lat_e7_size(); ++i) {
    at = {at.first + street.lat_e7(i), at.second + street.lng_e7(i)};
    course.push_back(at);
  }
  return course;
}

Piece MakePiece(Place from, Place to, bool one_way) {
  if (!one_way && to < from) std::swap(from, to);
  return {from, to, one_way};
}

roads::RoadGraph Build(const roads::TestMap& map) {
  absl::StatusOr<roads::RoadGraph> graph = map.Build({.only_largest_component = false});
  EXPECT_THAT(graph, IsOk());
  return *std::move(graph);
}

TEST(StreetLinesTest, EveryPieceOfTheCityIsDrawnOnceAndInItsDirection) {
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const roads::RoadGraph& graph = (*streets)->graph();
  std::multiset<Piece> wanted;
  for (roads::EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    const roads::Edge& edge = graph.edge(i);
    const auto opposite = graph.Opposite(i);
    if (opposite && *opposite < i) continue;
    const LatLng from = graph.position(edge.from);
    const LatLng to = graph.position(edge.to);
    wanted.insert(MakePiece({from.lat_e7, from.lng_e7}, {to.lat_e7, to.lng_e7}, !opposite));
  }
  std::multiset<Piece> drawn;
  const std::vector<Street> lines = MakeStreetLines(graph);
  for (const Street& street : lines) {
    const std::vector<Place> course = Course(street);
    ASSERT_GE(course.size(), 2u);
    for (size_t i = 1; i < course.size(); ++i) {
      drawn.insert(MakePiece(course[i - 1], course[i], street.one_way()));
    }
  }
  EXPECT_EQ(drawn, wanted);
  EXPECT_LT(lines.size() * 10, wanted.size()) << "lines are to be long";
}

TEST(StreetLinesTest, StreetGoesStraightAcrossAJunction) {
  roads::TestMap map;
  const auto west = map.AddNode(-100, 0);
  const auto middle = map.AddNode(0, 0);
  const auto east = map.AddNode(100, 0);
  const auto north = map.AddNode(0, 100);
  const auto south = map.AddNode(0, -100);
  map.AddStreet({west, middle, east}, {{"name", "Main Street"}});
  map.AddStreet({north, middle, south}, {{"name", "High Street"}});
  const std::vector<Street> lines = MakeStreetLines(Build(map));
  ASSERT_EQ(lines.size(), 2u);
  for (const Street& street : lines) {
    EXPECT_EQ(street.lat_e7_size(), 3);
    EXPECT_EQ(street.speed_kmh(), 36u);
    EXPECT_FALSE(street.one_way());
  }
  EXPECT_NE(lines[0].name(), lines[1].name());
}

TEST(StreetLinesTest, SharpTurnAndChangeOfDirectionOfTravelEndALine) {
  roads::TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(100, 0);
  const auto c = map.AddNode(200, 0);
  const auto d = map.AddNode(200, 100);
  map.AddStreet({a, b}, {{"name", "Way"}});
  map.AddStreet({b, c}, {{"name", "Way"}, {"oneway", "yes"}});
  map.AddStreet({c, d}, {{"name", "Way"}, {"oneway", "yes"}});
  const std::vector<Street> lines = MakeStreetLines(Build(map));
  ASSERT_EQ(lines.size(), 3u);
  for (const Street& street : lines) EXPECT_EQ(street.lat_e7_size(), 2);
}

TEST(StreetLinesTest, DrawsAcrossTheAntimeridianAsElsewhere) {
  const auto town = roads::TestTown(roads::kTaveuni).Load();
  const auto other = roads::TestTown(roads::ShiftedEast(roads::kTaveuni, -300'000'000)).Load();
  const std::vector<Street> lines = MakeStreetLines(town->graph());
  const std::vector<Street> expected = MakeStreetLines(other->graph());
  ASSERT_EQ(lines.size(), expected.size());
  bool crosses = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    // But for its first point, a line consists of differences.
    Street line = lines[i];
    line.set_lng_e7(0, roads::ShiftedEast({0, line.lng_e7(0)}, -300'000'000).lng_e7);
    EXPECT_EQ(line.SerializeAsString(), expected[i].SerializeAsString());
    crosses |= lines[i].lng_e7(0) > 0 && Course(lines[i]).back().second > 1'800'000'000;
  }
  EXPECT_TRUE(crosses);
}

TEST(StreetLinesTest, PackedMessagesHoldAllStreetsWithinTheBound) {
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const std::vector<Street> lines = MakeStreetLines((*streets)->graph());
  constexpr size_t kMaxBytes = 4096;
  const auto messages = PackStreets(lines, kMaxBytes);
  EXPECT_GT(messages.size(), 1u);
  size_t count = 0;
  for (const auto& message : messages) {
    EXPECT_TRUE(message.ByteSizeLong() <= kMaxBytes || message.streets_size() == 1);
    for (const Street& street : message.streets()) {
      EXPECT_EQ(street.SerializeAsString(), lines[count++].SerializeAsString());
    }
  }
  EXPECT_EQ(count, lines.size());
}

}  // namespace
}  // namespace ridestream::trip
