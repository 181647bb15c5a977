#include "services/dispatch/domain/route_progress.h"

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

TEST(RouteProgressTest, TellsHowFarBesideTheRouteTheCarIs) {
  RouteProgress progress(RouteThrough({Place(0), Place(100), Place(100, 200)}));
  EXPECT_EQ(progress.beside_m(), 0);
  progress.MoveTo(Place(50, -30));
  EXPECT_NEAR(progress.beside_m(), 30, 1);
  progress.MoveTo(Place(100, 5'200));
  EXPECT_NEAR(progress.beside_m(), 5'000, 10);
}

TEST(RouteProgressTest, NeverGoesBack) {
  RouteProgress progress(RouteThrough({Place(0), Place(100), Place(200)}));
  progress.MoveTo(Place(120));
  progress.MoveTo(Place(110));
  ExpectBehind(progress, seconds(12));
  progress.MoveTo(Place(30));
  ExpectBehind(progress, seconds(12));
}

TEST(RouteProgressTest, IsNotThrownAheadWhereTheRouteComesBack) {
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

}  // namespace
}  // namespace ridestream::dispatch
