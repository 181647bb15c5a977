#include "services/dispatch/streets/way_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "libs/roads/streets.h"
#include "libs/roads/testing/test_town.h"
#include "libs/testing/status_matchers.h"
#include "services/dispatch/domain/plan/route_progress.h"
#include "services/dispatch/streets/place_table.h"

namespace ridestream::dispatch {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(WaySearchTest, VisitsTheStopsInOrder) {
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

TEST(WaySearchTest, CarUnderWayContinuesInItsDirection) {
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

TEST(WaySearchTest, CrossesTheAntimeridianAndBack) {
  const roads::TestTown town(roads::kTaveuni);
  const auto streets = town.Load();
  const FindRoute question{
      DriverId("d"), 1, town.At(1, -2.5), {town.At(-1, 2.5), town.At(2, -1.5)}};
  const auto way = FindWay(*streets, question);
  ASSERT_THAT(way, IsOk());
  const common::v1::Route& route = way->route;
  for (int i = 1; i < route.lng_e7_size(); ++i) {
    EXPECT_LT(std::abs(route.lng_e7(i)), 25'000) << "one block";
  }
  // A car that drives the way is on it, and ends at the last stop.
  RouteProgress progress(route);
  std::vector<LatLng> driven;
  for (const auto& point : progress.PointsAhead(Duration::max() / 2)) {
    EXPECT_TRUE(point.place.IsValid());
    progress.MoveTo(point.place);
    EXPECT_FALSE(progress.has_left());
    driven.push_back(point.place);
  }
  EXPECT_GT(driven.size(), 10u);
  EXPECT_LT(DistanceM(driven.back(), question.stops[1]), 1);
}

TEST(PlaceTableTest, OptimisticTimesAreThoseOfTheTownElsewhere) {
  for (const LatLng middle : {roads::kTaveuni, roads::kLongyearbyen}) {
    const roads::TestTown town(middle), other(roads::ShiftedEast(middle, 400'000'000));
    const auto streets = town.Load(), other_streets = other.Load();
    PlaceTable table(streets->router()), other_table(other_streets->router());
    for (double east = -3; east <= 3; east += 0.7) {
      const auto from = table.Add(town.At(1.2, east), roads::StreetUse::kDrive);
      const auto to = table.Add(town.At(-1.7, -east), roads::StreetUse::kStop);
      const auto other_from = other_table.Add(other.At(1.2, east), roads::StreetUse::kDrive);
      const auto other_to = other_table.Add(other.At(-1.7, -east), roads::StreetUse::kStop);
      const Duration exact = table.exact().Between(from, to);
      const Duration optimistic = table.optimistic().Between(from, to);
      EXPECT_EQ(exact, other_table.exact().Between(other_from, other_to));
      EXPECT_EQ(optimistic, other_table.optimistic().Between(other_from, other_to));
      EXPECT_LE(optimistic, exact);
      EXPECT_GT(optimistic, exact / 4);
    }
  }
}

TEST(WaySearchTest, StopOffTheStreetsHasNoRoute) {
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet((*streets)->graph(), random);
  EXPECT_THAT(FindWay((*streets)->router(), {DriverId("d"), 1, from, {LatLng{0, 0}}}),
              StatusIs(absl::StatusCode::kNotFound, ""));
}

}  // namespace
}  // namespace ridestream::dispatch
