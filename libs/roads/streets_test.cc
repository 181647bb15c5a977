#include "libs/roads/streets.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "libs/roads/engine/dijkstra_router.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

TEST(StreetsTest, LoadsTheBuiltInCity) {
  const auto streets = Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const RoadGraph& graph = (*streets)->graph();
  EXPECT_THAT((*streets)->description(),
              ::testing::MatchesRegex("built-in city of seed 1: [23],[0-9]+ junctions, "
                                      "[0-9]+,[0-9]+ directed segments; left out: .*"));
  EXPECT_TRUE((*streets)->Covers(LatLng::FromDegrees(45, -30)));
  EXPECT_TRUE((*streets)->Covers(OffsetBy(graph.bounds().south_west, -400, 0)));
  EXPECT_FALSE((*streets)->Covers(OffsetBy(graph.bounds().south_west, -600, 0)));
  EXPECT_FALSE((*streets)->Covers(LatLng{2'000'000'000, 0}));
}

TEST(StreetsTest, TwoLoadsOfOneSeedAreTheSame) {
  const auto a = Streets::Load("city:18446744073709551615");
  const auto b = Streets::Load("city:18446744073709551615");
  ASSERT_THAT(a, IsOk());
  ASSERT_THAT(b, IsOk());
  const auto edges_a = (*a)->graph().edges();
  const auto edges_b = (*b)->graph().edges();
  EXPECT_TRUE(std::equal(edges_a.begin(), edges_a.end(), edges_b.begin(), edges_b.end()));
}

TEST(StreetsTest, RejectsFilesThatItCannotLoad) {
  for (const char* spec :
       {"city:", "city:abc", "city:-1", "city:1 ", "city:18446744073709551616"}) {
    EXPECT_THAT(Streets::Load(spec), StatusIs(absl::StatusCode::kInvalidArgument, "as in city:1"))
        << spec;
  }
  EXPECT_THAT(Streets::Load("/no/such/roads.osm.pbf"),
              StatusIs(absl::StatusCode::kNotFound, "/no/such/roads.osm.pbf"));
  EXPECT_THAT(Streets::Load(""), StatusIs(absl::StatusCode::kInvalidArgument, ""));
}

// The real maps beside the project, see RIDESTREAM_TEST_DATA.

struct RealMap {
  const char* file;
  std::size_t least_junctions;
  std::size_t most_junctions;
  std::uint32_t restrictions;  // that the file holds
  std::uint32_t least_applied;
};

class RealMapTest : public ::testing::TestWithParam<RealMap> {
 protected:
  /// nullopt if the file isn't there.
  static std::optional<std::string> Path() {
    const char* folder = std::getenv("RIDESTREAM_TEST_DATA");
    if (folder == nullptr) return std::nullopt;
    const auto path = std::filesystem::path(folder) / GetParam().file;
    if (!std::filesystem::exists(path)) return std::nullopt;
    return path.string();
  }
};

TEST_P(RealMapTest, IsReadAndRoutedOn) {
  const auto path = Path();
  if (!path) GTEST_SKIP() << GetParam().file << " isn't in RIDESTREAM_TEST_DATA";
  const auto loaded = Streets::Load(*path);
  ASSERT_THAT(loaded, IsOk());
  const Streets& streets = **loaded;
  EXPECT_GE(streets.graph().junction_count(), GetParam().least_junctions) << streets.description();
  EXPECT_LE(streets.graph().junction_count(), GetParam().most_junctions) << streets.description();
  const RestrictionCounts& counts = streets.restrictions();
  EXPECT_EQ(counts.applied + counts.missing + counts.not_for_cars + counts.unclear +
                counts.without_effect,
            GetParam().restrictions);
  EXPECT_GE(counts.applied, GetParam().least_applied) << streets.description();

  std::mt19937_64 random(1);
  std::vector<LatLng> drivers(200);
  for (LatLng& driver : drivers) driver = RandomPointOnStreet(streets.graph(), random);
  const DijkstraRouter dijkstra(streets.turns(), streets.snapper());
  for (int i = 0; i < 10; ++i) {
    const LatLng pickup = RandomPointOnStreet(streets.graph(), random);
    EXPECT_TRUE(streets.Covers(pickup));
    const auto times = streets.router().TravelTimesTo(pickup, drivers, std::chrono::hours(24));
    ASSERT_THAT(times, IsOk());
    EXPECT_EQ(*times, *dijkstra.TravelTimesTo(pickup, drivers, std::chrono::hours(24)));
    for (std::size_t d = 0; d < drivers.size(); ++d) {
      const auto route = streets.router().FindRoute(drivers[d], pickup, StreetUse::kDrive);
      ASSERT_THAT(route, IsOk());
      EXPECT_EQ((*times)[d], route->duration);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Maps, RealMapTest,
                         ::testing::Values(RealMap{"manhattan/roads.osm.pbf", 12'320, 12'320, 0, 0},
                                           RealMap{"osm/porto.osm.pbf", 55'000, 65'000, 357, 320},
                                           RealMap{"osm/midtown.osm.pbf", 1'300, 2'150, 246, 150},
                                           RealMap{"osm/monaco.osm.pbf", 700, 900, 45, 40}),
                         [](const auto& map) {
                           const std::filesystem::path file = map.param.file;
                           return (file.parent_path().filename().string() + "_" +
                                   file.stem().stem().string());
                         });

TEST(ManhattanTest, AllStreetsAreTwoWayAt36KmPerHour) {
  const char* folder = std::getenv("RIDESTREAM_TEST_DATA");
  const auto path =
      std::filesystem::path(folder == nullptr ? "" : folder) / "manhattan/roads.osm.pbf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " isn't there";
  const auto streets = Streets::Load(path.string());
  ASSERT_THAT(streets, IsOk());
  const RoadGraph& graph = (*streets)->graph();
  EXPECT_EQ(graph.node_count(), 12'320U);
  EXPECT_EQ(graph.edge_count(), 2U * 15'722U);
  for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    ASSERT_TRUE(graph.Opposite(i).has_value());
    const Edge& e = graph.edge(i);
    ASSERT_NEAR(e.duration_ms, e.length_dm * 10.0, 6);  // 10 m/s; a length is rounded to 0.1 m
  }
  EXPECT_THAT((*streets)->router().TravelTime(LatLng::FromDegrees(40.5, -73.5),
                                              LatLng::FromDegrees(40.758, -73.9855)),
              StatusIs(absl::StatusCode::kNotFound, "m from the nearest street"));
}

}  // namespace
}  // namespace ridestream::roads
