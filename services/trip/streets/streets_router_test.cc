#include "services/trip/streets/streets_router.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "libs/roads/testing/test_town.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::trip {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(StreetsRouterTest, WayOfTheBuiltInCityHasLengthAndTime) {
  absl::StatusOr<std::unique_ptr<roads::Streets>> streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const roads::RoadGraph& graph = (*streets)->graph();
  std::vector<LatLng> stops;
  for (const roads::Edge& edge : graph.edges()) {
    if (edge.may_stop) stops.push_back(graph.position(edge.from));
  }
  const LatLng from = stops.front();
  const LatLng to = stops.back();
  const StreetsRouter router(*std::move(streets));
  const absl::StatusOr<Way> way = router.FindWay(from, to);
  ASSERT_THAT(way, IsOk());
  // No shorter than the straight line (but for what rounding takes), no faster than 120 km/h.
  EXPECT_GE(way->length_m + 2, DistanceM(from, to));
  EXPECT_GT(static_cast<double>(way->duration.count()), way->length_m / 34.0 * 1000);
}

TEST(StreetsRouterTest, WayIsTheSameWhereverATownLiesOnItsLatitude) {
  struct Case {
    LatLng middle;
    std::int64_t shift_e7;
  };
  for (const Case& c :
       {Case{roads::kTaveuni, 300'000'000}, Case{roads::kLongyearbyen, 7'000'000}}) {
    const roads::TestTown town(c.middle), other(roads::ShiftedEast(c.middle, c.shift_e7));
    const StreetsRouter router(town.Load()), other_router(other.Load());
    for (const double north : {-3.2, -1.1, 0.3, 2.8}) {
      SCOPED_TRACE(north);
      const auto way = router.FindWay(town.At(north, -2.6), town.At(0.4, 2.7));
      const auto expected = other_router.FindWay(other.At(north, -2.6), other.At(0.4, 2.7));
      ASSERT_THAT(way, IsOk());
      ASSERT_THAT(expected, IsOk());
      EXPECT_EQ(way->length_m, expected->length_m);
      EXPECT_EQ(way->duration, expected->duration);
      EXPECT_LT(way->length_m, 2'500);
      EXPECT_THAT(router.FindWay(town.At(north, -6), town.At(0, 0)),
                  StatusIs(absl::StatusCode::kInvalidArgument, "pickup: "));
    }
  }
}

TEST(StreetsRouterTest, PlaceInTheSeaIsNamedByItsField) {
  absl::StatusOr<std::unique_ptr<roads::Streets>> streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const LatLng place = (*streets)->graph().position(0);
  const LatLng sea = OffsetBy(place, 80'000, 0);
  const StreetsRouter router(*std::move(streets));
  EXPECT_THAT(router.FindWay(sea, place), StatusIs(absl::StatusCode::kInvalidArgument, "pickup: "));
  EXPECT_THAT(router.FindWay(place, sea),
              StatusIs(absl::StatusCode::kInvalidArgument, "dropoff: "));
}

}  // namespace
}  // namespace ridestream::trip
