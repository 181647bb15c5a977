#include "services/dispatch/streets/way_search.h"

#include <gtest/gtest.h>

#include <random>

#include "libs/roads/streets.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::dispatch {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(WaySearchTest, GoesThroughTheStopsInTheirOrder) {
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const roads::Router& router = (*streets)->router();
  std::mt19937_64 random(7);
  const auto place = [&] { return roads::RandomPointOnStreet((*streets)->graph(), random); };
  const FindRoute question{DriverId("d"), 1, place(), {place(), place(), place()}};
  const auto way = FindWay(router, question);
  ASSERT_THAT(way, IsOk());
  Duration expected{};
  LatLng from = question.from;
  ASSERT_EQ(way->to_stop.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    expected += *router.TravelTime(from, question.stops[i]);
    EXPECT_EQ(way->to_stop[i], expected);
    from = question.stops[i];
  }
  EXPECT_EQ(std::chrono::milliseconds(way->route.duration_ms()), expected);
  EXPECT_EQ(way->route.lat_e7_size(), way->route.piece_ms_size() + 1);
}

TEST(WaySearchTest, AStopOffTheStreetsIsNoWay) {
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet((*streets)->graph(), random);
  EXPECT_THAT(FindWay((*streets)->router(), {DriverId("d"), 1, from, {LatLng{0, 0}}}),
              StatusIs(absl::StatusCode::kNotFound, ""));
}

}  // namespace
}  // namespace ridestream::dispatch
