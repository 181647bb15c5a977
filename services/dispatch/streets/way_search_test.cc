#include "services/dispatch/streets/way_search.h"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST(WaySearchTest, ACarUnderWayGoesOnInItsDirection) {
  const auto loaded = roads::Streets::Load("city:1");
  ASSERT_THAT(loaded, IsOk());
  const roads::Streets& streets = **loaded;
  const auto& edges = streets.graph().edges();
  const auto street = std::find_if(edges.begin(), edges.end(), [&](const roads::Edge& edge) {
    return edge.length_dm > 1'200 &&
           streets.graph().Opposite(static_cast<roads::EdgeIndex>(&edge - edges.data()));
  });
  ASSERT_NE(street, edges.end());
  const auto at = [&](double fraction) {
    return Interpolate(streets.graph().position(street->from), streets.graph().position(street->to),
                       fraction);
  };
  FindRoute question{DriverId("d"), 1, at(0.7), {at(0.2)}};
  const auto turned_round = FindWay(streets, question);
  ASSERT_THAT(turned_round, IsOk());
  EXPECT_LT(turned_round->route.length_m(), 200);
  question.track = {at(0.3), at(0.5), at(0.7)};
  const auto went_on = FindWay(streets, question);
  ASSERT_THAT(went_on, IsOk());
  EXPECT_GT(went_on->to_stop[0], turned_round->to_stop[0]);
  const LatLng first{went_on->route.lat_e7(0), went_on->route.lng_e7(0)};
  const LatLng second{first.lat_e7 + went_on->route.lat_e7(1),
                      first.lng_e7 + went_on->route.lng_e7(1)};
  EXPECT_LT(DistanceM(second, at(1)), DistanceM(first, at(1)));
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
