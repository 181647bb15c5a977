#include "services/dispatch/domain/plan/diversion.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "services/dispatch/domain/plan/route_progress.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

TEST(DiversionTest, LeadPrecedesTheRouteOnBothSidesOfTheAntimeridian) {
  for (const double middle : {8.0, 180.0}) {
    const auto at = [&](double east_m) {
      return OffsetBy(LatLng::FromDegrees(-16.84, middle), 0, east_m);
    };
    const std::vector<RouteProgress::Point> lead = {
        {at(-200), seconds(5)}, {at(-50), seconds(20)}, {at(50), seconds(30)}};
    RouteFound::Way way;
    way.route.add_lat_e7(at(50).lat_e7);
    way.route.add_lng_e7(at(50).lng_e7);
    way.route.add_lat_e7(0);
    way.route.add_lng_e7(EastE7(at(50), at(-150)));
    way.route.add_piece_ms(20'000);
    way.route.set_duration_ms(20'000);
    way.route.set_length_m(200);
    way.to_stop = {seconds(20)};

    Prepend(lead, way);
    EXPECT_EQ(way.route.duration_ms(), 45'000u);
    EXPECT_NEAR(way.route.length_m(), 450, 2);
    EXPECT_EQ(way.to_stop[0], seconds(45));
    RouteProgress progress(way.route);
    const auto points = progress.PointsAhead(seconds(100));
    ASSERT_EQ(points.size(), 4u);
    const double places_m[] = {-200, -50, 50, -150};
    for (std::size_t i = 0; i < points.size(); ++i) {
      EXPECT_LT(DistanceM(points[i].place, at(places_m[i])), 0.1) << i;
    }
  }
}

}  // namespace
}  // namespace ridestream::dispatch
