#include "services/dispatch/domain/plan/route_progress.h"

#include <gtest/gtest.h>

#include <vector>

namespace ridestream::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const LatLng kOrigin = LatLng::FromDegrees(40.75, -73.98);

LatLng Place(double east_m, double north_m = 0) { return OffsetBy(kOrigin, north_m, east_m); }

/// Driven at 10 m/s.
common::v1::Route RouteThrough(const std::vector<LatLng>& points) {
  common::v1::Route route;
  LatLng last;
  for (std::size_t i = 0; i < points.size(); ++i) {
    route.add_lat_e7(points[i].lat_e7 - last.lat_e7);
    route.add_lng_e7(points[i].lng_e7 - last.lng_e7);
    if (i > 0) route.add_piece_ms(static_cast<std::uint32_t>(DistanceM(last, points[i]) * 100));
    last = points[i];
  }
  return route;
}

void ExpectBehind(const RouteProgress& progress, Duration expected) {
  EXPECT_NEAR(static_cast<double>(progress.behind().count()), static_cast<double>(expected.count()),
              100'000)
      << "in microseconds";
}

TEST(RouteProgressTest, CountsTheTimeOfThePiecesBehindTheCar) {
  RouteProgress progress(RouteThrough({Place(0), Place(100), Place(100, 200)}));
  struct Case {
    LatLng car;
    Duration behind;
  };
  for (const Case& c : {Case{Place(0), seconds(0)}, Case{Place(50), seconds(5)},
                        Case{Place(60, 15), seconds(6)},        // beside the street
                        Case{Place(100, 100), seconds(20)},     // around the corner
                        Case{Place(100, 200), seconds(30)},     // at the end
                        Case{Place(100, 400), seconds(30)}}) {  // past the end
    progress.MoveTo(c.car);
    ExpectBehind(progress, c.behind);
  }
}

TEST(RouteProgressTest, IsNotBeyondAStopThatIsStillToBeMade) {
  // Into a street and back, for a stop at its end: on the way in the car is on the way out as well.
  RouteProgress progress(RouteThrough({Place(0), Place(0, 300), Place(1), Place(-300)}));
  progress.MoveTo(Place(1.5, 100), seconds(30));
  ExpectBehind(progress, seconds(10));
  progress.MoveTo(Place(0, 300), seconds(30));
  ExpectBehind(progress, seconds(30));
  progress.MoveTo(Place(1.5, 200), seconds(30));
  ExpectBehind(progress, seconds(30));
  // The stop was made.
  progress.MoveTo(Place(1.5, 200));
  ExpectBehind(progress, seconds(40));
}

TEST(RouteProgressTest, NeverGoesBack) {
  RouteProgress progress(RouteThrough({Place(0), Place(100), Place(200)}));
  progress.MoveTo(Place(120));
  progress.MoveTo(Place(110));
  ExpectBehind(progress, seconds(12));
  progress.MoveTo(Place(30));
  ExpectBehind(progress, seconds(12));
}

TEST(RouteProgressTest, DoesNotJumpAheadWhereTheRouteReturns) {
  // Out along a street for two minutes and back by the other side of it.
  RouteProgress progress(
      RouteThrough({Place(0), Place(400), Place(800), Place(1200), Place(1200, 10), Place(800, 10),
                    Place(400, 10), Place(0, 10)}));
  progress.MoveTo(Place(100, 9));
  ExpectBehind(progress, seconds(10));
  progress.MoveTo(Place(500, 9));
  ExpectBehind(progress, seconds(50));
}

TEST(RouteProgressTest, FindsACarThatWasNotHeardForLong) {
  RouteProgress progress(RouteThrough({Place(0), Place(1000), Place(2000), Place(2000, 3000)}));
  progress.MoveTo(Place(2000, 1000));
  ExpectBehind(progress, seconds(300));
}

TEST(RouteProgressTest, ACarFarFromTheRouteIsNotTakenToItsEnd) {
  RouteProgress progress(RouteThrough({Place(0), Place(1000), Place(2000), Place(3000)}));
  progress.MoveTo(Place(200));
  progress.MoveTo(Place(3000, 900));
  EXPECT_LE(progress.behind(), seconds(101)) << "the end of the piece it was on";
}

TEST(RouteProgressTest, RoutesWithoutPiecesHaveNoProgress) {
  RouteProgress empty{common::v1::Route()};
  empty.MoveTo(Place(5));
  EXPECT_EQ(empty.behind(), Duration::zero());

  RouteProgress on_the_spot(RouteThrough({Place(0)}));
  on_the_spot.MoveTo(Place(5));
  EXPECT_EQ(on_the_spot.behind(), Duration::zero());

  auto damaged = RouteThrough({Place(0), Place(100), Place(200)});
  damaged.mutable_piece_ms()->RemoveLast();
  RouteProgress progress(damaged);
  progress.MoveTo(Place(200));
  EXPECT_LE(progress.behind(), seconds(10) + milliseconds(1));
}

TEST(RouteProgressTest, FollowsACarAcrossTheAntimeridian) {
  const auto at = [](double east_m, double north_m) {
    return OffsetBy(LatLng::FromDegrees(-16.84, 180), north_m, east_m);
  };
  const std::vector<LatLng> points = {at(-200, 0), at(100, 0), at(100, 200)};
  common::v1::Route route;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const LatLng before = i == 0 ? LatLng{} : points[i - 1];
    route.add_lat_e7(points[i].lat_e7 - before.lat_e7);
    route.add_lng_e7(EastE7(before, points[i]));
    if (i > 0) route.add_piece_ms(static_cast<std::uint32_t>(DistanceM(before, points[i]) * 100));
  }
  RouteProgress progress(route);
  for (const auto& [car, behind] : {std::pair(at(-100, 5), seconds(10)),
                                    {at(0, 0), seconds(20)},
                                    {at(50, -5), seconds(25)},
                                    {at(100, 100), seconds(40)}}) {
    progress.MoveTo(car);
    ExpectBehind(progress, behind);
    EXPECT_FALSE(progress.has_left());
  }
}

TEST(RouteProgressTest, TwoPositionsBeyondTheCorridorAreADeparture) {
  RouteProgress progress(RouteThrough({Place(0), Place(500), Place(500, 500)}));
  progress.MoveTo(Place(200, 30));  // still inside
  progress.MoveTo(Place(300, 45));
  EXPECT_FALSE(progress.has_left());
  progress.MoveTo(Place(400, 10));  // back again: that was noise
  progress.MoveTo(Place(500, -45));
  EXPECT_FALSE(progress.has_left());
  progress.MoveTo(Place(500, -90));
  EXPECT_TRUE(progress.has_left());
  progress.MoveTo(Place(500, 100));
  EXPECT_FALSE(progress.has_left());
}

TEST(RouteProgressTest, ACarOnItsWayToTheRouteHasNotLeftIt) {
  RouteProgress progress(RouteThrough({Place(0), Place(500)}));
  for (const double north_m : {300.0, 220.0, 140.0, 60.0}) {
    progress.MoveTo(Place(0, north_m));
    EXPECT_FALSE(progress.has_left());
  }
  progress.MoveTo(Place(0, 60));
  EXPECT_FALSE(progress.has_left());
  progress.MoveTo(Place(0, 60));  // it doesn't come
  EXPECT_TRUE(progress.has_left());
}

TEST(RouteProgressTest, CarStandingBesideTheRouteHasNotLeftIt) {
  RouteProgress progress(RouteThrough({Place(0), Place(500)}));
  for (int i = 0; i < 20; ++i) progress.MoveTo(Place(0, 300 + i % 5));
  EXPECT_FALSE(progress.has_left());
}

TEST(RouteProgressTest, CarFarFromItsExpectedPlaceHasLeftAtOnce) {
  RouteProgress from_wrong_place(RouteThrough({Place(-20'000), Place(0), Place(500)}));
  from_wrong_place.MoveTo(Place(0));
  EXPECT_TRUE(from_wrong_place.has_left()) << "though it is on the route";
  RouteProgress progress(RouteThrough({Place(0), Place(3'000)}));
  progress.MoveTo(Place(100));
  progress.MoveTo(Place(900));
  EXPECT_FALSE(progress.has_left()) << "not heard for a while";
  progress.MoveTo(Place(2'000));
  EXPECT_TRUE(progress.has_left());
}

TEST(RouteProgressTest, ARouteOfNoLengthCanBeLeft) {
  RouteProgress progress(RouteThrough({Place(0)}));
  progress.MoveTo(Place(5));
  progress.MoveTo(Place(60));
  EXPECT_FALSE(progress.has_left());
  progress.MoveTo(Place(120));
  EXPECT_TRUE(progress.has_left());
}

TEST(RouteProgressTest, ReturningOnTheSameStreetIsNotLeavingTheRoute) {
  // Into a dead end and out again. Noise takes the car onto the way back before it has turned.
  RouteProgress progress(RouteThrough({Place(0), Place(300), Place(0), Place(0, 500)}));
  for (const double east_m : {50.0, 110.0, 170.0, 230.0, 290.0, 240.0, 120.0}) {
    progress.MoveTo(Place(east_m, 12));
    EXPECT_FALSE(progress.has_left()) << east_m;
  }
}

}  // namespace
}  // namespace ridestream::dispatch
