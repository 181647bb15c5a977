#include "libs/roads/city/city.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "libs/base/draw.h"
#include "libs/roads/city/city_names.h"
#include "libs/roads/graph/strong_components.h"
#include "libs/roads/map/road_graph_builder.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;

absl::StatusOr<RoadGraph> BuildCity(std::uint64_t seed, RoadGraphBuilder::Options options = {}) {
  RoadGraphBuilder builder(options);
  AddTo(builder, MakeCity(seed));
  return std::move(builder).Build();
}

/// FNV-1a over everything in a map.
std::uint64_t Fingerprint(const OsmData& map) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add_byte = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  const auto add = [&](std::int64_t value) {
    for (int shift = 0; shift < 64; shift += 8) {
      add_byte(static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> shift));
    }
  };
  for (const OsmNode& node : map.nodes) {
    add(node.id);
    add(node.position.lat_e7);
    add(node.position.lng_e7);
  }
  for (const OsmWay& way : map.ways) {
    add(way.id);
    for (const std::int64_t id : way.node_ids) add(id);
    for (const auto& [key, value] : way.tags) {
      for (const char c : key) add_byte(static_cast<unsigned char>(c));
      add_byte('=');
      for (const char c : value) add_byte(static_cast<unsigned char>(c));
    }
  }
  return hash;
}

TEST(CityTest, SameSeedGivesTheSameMapOnEveryPlatform) {
  EXPECT_EQ(Fingerprint(MakeCity(1)), 12453643172084015770U);
  EXPECT_NE(Fingerprint(MakeCity(1)), Fingerprint(MakeCity(2)));
}

TEST(CityTest, HasTheSizeOfACityForEverySeed) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto graph = BuildCity(seed);
    ASSERT_THAT(graph, IsOk()) << "seed " << seed;
    EXPECT_GT(graph->junction_count(), 2'800U) << "seed " << seed;
    EXPECT_LT(graph->junction_count(), 3'200U) << "seed " << seed;
    const LatLng west = graph->bounds().south_west;
    const LatLng east{west.lat_e7, graph->bounds().north_east.lng_e7};
    const LatLng north{graph->bounds().north_east.lat_e7, west.lng_e7};
    EXPECT_NEAR(DistanceM(west, east), 7'800, 600) << "seed " << seed;
    EXPECT_NEAR(DistanceM(west, north), 6'000, 600) << "seed " << seed;
    EXPECT_NEAR(west.lat(), 45, 0.1);
    EXPECT_NEAR(west.lng(), -30, 0.1);
    // Nearly all of it is connected before the rest is removed.
    const auto all = BuildCity(seed, {.only_largest_component = false});
    ASSERT_THAT(all, IsOk());
    EXPECT_GT(graph->node_count() * 100, all->node_count() * 99) << "seed " << seed;
  }
}

TEST(CityTest, IsStronglyConnected) {
  const auto graph = BuildCity(1);
  ASSERT_THAT(graph, IsOk());
  std::vector<std::uint32_t> first_out{0};
  std::vector<std::uint32_t> heads;
  for (NodeIndex node = 0; node < graph->node_count(); ++node) {
    for (const Edge& e : graph->OutEdges(node)) heads.push_back(e.to);
    first_out.push_back(static_cast<std::uint32_t>(heads.size()));
  }
  EXPECT_EQ(FindStrongComponents(first_out, heads).size.size(), 1U);
}

TEST(CityTest, HasBridgesOneWayStreetsAMotorwayAndNames) {
  const OsmData map = MakeCity(1);
  int bridges = 0;
  int one_way = 0;
  int motorways = 0;
  std::set<std::string> names;
  for (const OsmWay& way : map.ways) {
    for (const auto& [key, value] : way.tags) {
      if (key == "bridge") ++bridges;
      if (key == "oneway") ++one_way;
      if (key == "highway" && value == "motorway") ++motorways;
      if (key == "name") names.insert(value);
    }
  }
  EXPECT_EQ(bridges, 5);
  EXPECT_EQ(motorways, 2);
  EXPECT_GT(one_way, 50);
  EXPECT_TRUE(names.contains("West 1st Street"));
  EXPECT_TRUE(names.contains("East 42nd Street"));
  EXPECT_GT(std::count_if(names.begin(), names.end(),
                          [](const std::string& name) { return name.ends_with(" Avenue"); }),
            40);
}

TEST(CityNamesTest, Ordinals) {
  const std::pair<int, const char*> cases[] = {
      {1, "1st"},   {2, "2nd"},   {3, "3rd"},   {4, "4th"},   {11, "11th"},  {12, "12th"},
      {13, "13th"}, {21, "21st"}, {42, "42nd"}, {53, "53rd"}, {111, "111th"}};
  for (const auto& [number, text] : cases) EXPECT_EQ(Ordinal(number), text);
}

TEST(CityNamesTest, NamesDontRepeat) {
  std::mt19937_64 random(9);
  const auto names = DrawStreetNames(random, 64);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 64U);
}

TEST(DrawTest, StaysWithinItsBoundsAndReachesThem) {
  std::mt19937_64 random(1);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(DrawBetween(random, -2, 2));
  EXPECT_EQ(seen, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
}

}  // namespace
}  // namespace ridestream::roads
