#include "services/dispatch/domain/plan/driver_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/dispatch/domain/market/testing/market_tester.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kStart = ScaledClock::kAnchor;
constexpr LatLng kCar = MarketTester::kCar;
constexpr LatLng kElsewhere{407'700'000, -739'600'000};

trip::v1::Trip MakeTrip(const std::string& id, trip::v1::TripState state,
                        LatLng dropoff = MarketTester::kDropoff) {
  FakeTrips trips("test");
  trip::v1::Trip trip = trips.Request(id, MarketTester::kPickup, dropoff, kStart, 2);
  trip.set_state(state);
  return trip;
}

class DriverPlanTest : public ::testing::Test {
 protected:
  void Apply(const std::string& id, trip::v1::TripState state) { plan_.Apply(MakeTrip(id, state)); }
  void FindRoute() { ASSERT_TRUE(plan_.SetRoute(MakeWay(kCar, plan_.Places()))); }
  /// "P:t-1@100" is the pick-up of t-1 in 100 s; "*" marks one at which the driver is.
  std::vector<std::string> Stops(v1::PlanCause cause = v1::PLAN_CAUSE_REROUTED) {
    std::vector<std::string> stops;
    const v1::Plan plan = plan_.NextMessage(cause, false, kCar, kStart);
    for (const v1::Stop& stop : plan.stops()) {
      stops.push_back((stop.kind() == v1::STOP_KIND_PICK_UP ? "P:" : "D:") + stop.trip_id() + "@" +
                      std::to_string(stop.eta_s()) + (stop.arrived() ? "*" : ""));
    }
    return stops;
  }

  DriverPlan plan_;
};

TEST_F(DriverPlanTest, ComputesTheLeastDistanceFromAStop) {
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  const TripId trip("t-1");
  constexpr auto kIn = v1::STOP_KIND_PICK_UP;
  constexpr auto kOut = v1::STOP_KIND_DROP_OFF;
  const LatLng near = OffsetBy(MarketTester::kPickup, 0, 499);
  const LatLng far = OffsetBy(MarketTester::kPickup, 0, 700);
  EXPECT_EQ(plan_.DistanceToStop(trip, kIn, near), 0) << "the street may be there";
  EXPECT_NEAR(*plan_.DistanceToStop(trip, kIn, far), 200, 1);
  FindRoute();
  EXPECT_NEAR(*plan_.DistanceToStop(trip, kIn, near), 499, 1) << "it is known where the car stops";
  EXPECT_NEAR(*plan_.DistanceToStop(trip, kOut, MarketTester::kDropoff), 0, 1);
  // The street on which the car stops is 300 m from the rider.
  auto places = plan_.Places();
  places[0] = OffsetBy(MarketTester::kPickup, 0, 300);
  ASSERT_TRUE(plan_.SetRoute(MakeWay(kCar, places)));
  EXPECT_NEAR(*plan_.DistanceToStop(trip, kIn, places[0]), 0, 1);
  EXPECT_NEAR(*plan_.DistanceToStop(trip, kIn, far), 400, 1);
  EXPECT_NEAR(*plan_.DistanceToStop(trip, kIn, MarketTester::kPickup), 0, 1);
  EXPECT_EQ(plan_.DistanceToStop(TripId("t-2"), kIn, near), std::nullopt);
  Apply("t-1", trip::v1::TRIP_STATE_ABOARD);
  EXPECT_EQ(plan_.DistanceToStop(trip, kIn, near), std::nullopt);
}

TEST_F(DriverPlanTest, RouteWithoutPointsHasNoDistance) {
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  ASSERT_TRUE(plan_.SetRoute({{}, {seconds(0), seconds(0)}}));
  EXPECT_EQ(plan_.DistanceToStop(TripId("t-1"), v1::STOP_KIND_PICK_UP, MarketTester::kPickup), 0);
}

struct ApplyCase {
  trip::v1::TripState before;
  trip::v1::TripState after;
  bool new_destination;
  v1::PlanCause cause;
  RouteChange route;
};

TEST(DriverPlanApplyTest, EachChangeOfATripHasItsCauseAndItsEffectOnTheRoute) {
  using trip::v1::TRIP_STATE_ABOARD;
  using trip::v1::TRIP_STATE_ARRIVED;
  using trip::v1::TRIP_STATE_ASSIGNED;
  const ApplyCase cases[] = {
      {TRIP_STATE_ASSIGNED, TRIP_STATE_ASSIGNED, false, v1::PLAN_CAUSE_UNSPECIFIED,
       RouteChange::kNone},
      {TRIP_STATE_ASSIGNED, TRIP_STATE_ARRIVED, false, v1::PLAN_CAUSE_STOP_DONE,
       RouteChange::kNone},
      {TRIP_STATE_ARRIVED, TRIP_STATE_ARRIVED, false, v1::PLAN_CAUSE_UNSPECIFIED,
       RouteChange::kNone},
      {TRIP_STATE_ARRIVED, TRIP_STATE_ABOARD, false, v1::PLAN_CAUSE_STOP_DONE,
       RouteChange::kShortened},
      {TRIP_STATE_ASSIGNED, TRIP_STATE_ABOARD, false, v1::PLAN_CAUSE_STOP_DONE,
       RouteChange::kShortened},
      {TRIP_STATE_ABOARD, TRIP_STATE_ABOARD, false, v1::PLAN_CAUSE_UNSPECIFIED, RouteChange::kNone},
      {TRIP_STATE_ASSIGNED, TRIP_STATE_ASSIGNED, true, v1::PLAN_CAUSE_DESTINATION_CHANGED,
       RouteChange::kNew},
      {TRIP_STATE_ASSIGNED, TRIP_STATE_ARRIVED, true, v1::PLAN_CAUSE_DESTINATION_CHANGED,
       RouteChange::kNew},
      {TRIP_STATE_ARRIVED, TRIP_STATE_ABOARD, true, v1::PLAN_CAUSE_DESTINATION_CHANGED,
       RouteChange::kNew},
  };
  for (const ApplyCase& c : cases) {
    SCOPED_TRACE(trip::v1::TripState_Name(c.before) + " to " + trip::v1::TripState_Name(c.after));
    DriverPlan plan;
    const PlanChange added = plan.Apply(MakeTrip("t", c.before));
    EXPECT_EQ(added.cause, v1::PLAN_CAUSE_RIDER_ADDED);
    EXPECT_EQ(added.route, RouteChange::kNew);
    const PlanChange change =
        plan.Apply(MakeTrip("t", c.after, c.new_destination ? kElsewhere : MarketTester::kDropoff));
    EXPECT_EQ(change.cause, c.cause);
    EXPECT_EQ(change.route, c.route);
    EXPECT_EQ(plan.IsAboard(TripId("t")), c.after == TRIP_STATE_ABOARD);
  }
}

TEST_F(DriverPlanTest, RouteStaysWhenLeadingStopsAreRemoved) {
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  FindRoute();
  EXPECT_THAT(Stops(), ElementsAre("P:t-1@100", "D:t-1@200"));
  Apply("t-1", trip::v1::TRIP_STATE_ARRIVED);
  EXPECT_THAT(Stops(), ElementsAre("P:t-1@0*", "D:t-1@200"));
  Apply("t-1", trip::v1::TRIP_STATE_ABOARD);
  EXPECT_TRUE(plan_.has_route());
  EXPECT_THAT(Stops(), ElementsAre("D:t-1@200"));
  EXPECT_EQ(plan_.Remove(TripId("t-1"), v1::PLAN_CAUSE_STOP_DONE).route, RouteChange::kShortened);
  EXPECT_THAT(Stops(), IsEmpty());
  EXPECT_FALSE(plan_.has_route());
}

TEST_F(DriverPlanTest, HoldsSeveralTrips) {
  Apply("t-1", trip::v1::TRIP_STATE_ABOARD);
  Apply("t-2", trip::v1::TRIP_STATE_ASSIGNED);
  FindRoute();
  EXPECT_THAT(Stops(), ElementsAre("D:t-1@100", "P:t-2@200", "D:t-2@300"));
  EXPECT_EQ(plan_.SeatsTaken(), 4u);
  EXPECT_TRUE(plan_.HasAnybodyAboard());
  EXPECT_THAT(plan_.Trips(), ElementsAre(TripId("t-1"), TripId("t-2")));

  // A stop in the middle falls away: the route led through it.
  const PlanChange change = plan_.Apply(MakeTrip("t-2", trip::v1::TRIP_STATE_ABOARD));
  EXPECT_EQ(change.cause, v1::PLAN_CAUSE_STOP_DONE);
  EXPECT_EQ(change.route, RouteChange::kNew);
  EXPECT_FALSE(plan_.has_route());
}

TEST_F(DriverPlanTest, RemovingATripBehindOthersNeedsANewRoute) {
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  Apply("t-2", trip::v1::TRIP_STATE_ASSIGNED);
  const PlanChange change = plan_.Remove(TripId("t-2"), v1::PLAN_CAUSE_RIDER_CANCELLED);
  EXPECT_EQ(change.cause, v1::PLAN_CAUSE_RIDER_CANCELLED);
  EXPECT_EQ(change.route, RouteChange::kNew);
  EXPECT_EQ(plan_.Remove(TripId("t-2"), v1::PLAN_CAUSE_RIDER_CANCELLED).cause,
            v1::PLAN_CAUSE_UNSPECIFIED);
}

TEST_F(DriverPlanTest, VersionsGrowAndARouteIsSentOnce) {
  plan_.ContinueFrom(41);
  plan_.ContinueFrom(7);
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  const auto tell = [&](bool whole) {
    return plan_.NextMessage(v1::PLAN_CAUSE_RIDER_ADDED, whole, kCar, kStart);
  };
  const v1::Plan without = tell(false);
  EXPECT_EQ(without.version(), 42u);
  EXPECT_EQ(without.route_id(), 0u);
  EXPECT_FALSE(without.has_route());
  FindRoute();
  const v1::Plan first = tell(false);
  EXPECT_EQ(first.version(), 43u);
  EXPECT_EQ(first.route_id(), 43u);
  EXPECT_EQ(first.route().piece_ms_size(), 2);
  const v1::Plan again = tell(false);
  EXPECT_EQ(again.route_id(), 43u);
  EXPECT_FALSE(again.has_route());
  const v1::Plan whole = tell(true);
  EXPECT_EQ(whole.route_id(), 43u);
  EXPECT_TRUE(whole.has_route());
}

TEST_F(DriverPlanTest, EtasFollowTheCarAlongTheRoute) {
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  FindRoute();
  plan_.MoveTo(Interpolate(kCar, MarketTester::kPickup, 0.75));
  EXPECT_NEAR(static_cast<double>(plan_.TimeTo(TripId("t-1"), kCar).count()), 25e6, 1e5);
  plan_.MoveTo(MarketTester::kPickup);
  EXPECT_THAT(Stops(), ElementsAre("P:t-1@0", "D:t-1@100"));
}

TEST_F(DriverPlanTest, DetectsThatTheCarHasLeftTheRoute) {
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  EXPECT_FALSE(plan_.HasLeftRoute()) << "it has none";
  FindRoute();
  const LatLng on_its_way = Interpolate(kCar, MarketTester::kPickup, 0.5);
  plan_.MoveTo(on_its_way);
  plan_.MoveTo(OffsetBy(on_its_way, 100, -100));
  EXPECT_FALSE(plan_.HasLeftRoute());
  plan_.MoveTo(OffsetBy(on_its_way, 200, -200));
  EXPECT_TRUE(plan_.HasLeftRoute());
  EXPECT_TRUE(plan_.has_route()) << "the driver has no better one yet";
}

TEST_F(DriverPlanTest, EstimatesEtasWithoutARoute) {
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  const double metres = DistanceM(kCar, MarketTester::kPickup);
  EXPECT_NEAR(std::chrono::duration<double>(plan_.TimeTo(TripId("t-1"), kCar)).count(),
              metres / (30 / 3.6), 1);
  EXPECT_EQ(plan_.TimeTo(TripId("t-1"), std::nullopt), seconds(0)) << "nobody knows where it is";
}

TEST_F(DriverPlanTest, ARouteForOtherStopsIsRefused) {
  Apply("t-1", trip::v1::TRIP_STATE_ASSIGNED);
  EXPECT_FALSE(plan_.SetRoute(MakeWay(kCar, {MarketTester::kPickup})));
  EXPECT_FALSE(plan_.has_route());
}

TEST_F(DriverPlanTest, ARiderIsInsertedBehindTheRemainingStops) {
  Apply("a", trip::v1::TRIP_STATE_ABOARD);
  Apply("b", trip::v1::TRIP_STATE_ASSIGNED);
  // Behind b's pick-up, and b cancels meanwhile.
  const Placement placement = plan_.PlacementFor({2, 2, {}, {}, {}, {}});
  plan_.Remove(TripId("b"), v1::PLAN_CAUSE_RIDER_CANCELLED);
  plan_.Apply(MakeTrip("c", trip::v1::TRIP_STATE_ASSIGNED), &placement);
  FindRoute();
  EXPECT_THAT(Stops(), ElementsAre("D:a@100", "P:c@200", "D:c@300"));
}

TEST_F(DriverPlanTest, PickUpsBeyondTheSeatsFollowDropOffs) {
  Apply("a", trip::v1::TRIP_STATE_ASSIGNED);  // Each for two people.
  const Placement between = plan_.PlacementFor({1, 2, {}, {}, {}, {}});
  plan_.Apply(MakeTrip("b", trip::v1::TRIP_STATE_ASSIGNED), &between);
  FindRoute();
  EXPECT_FALSE(plan_.KeepToSeats(4));
  ASSERT_THAT(Stops(), ElementsAre("P:a@100", "P:b@200", "D:a@300", "D:b@400"));
  EXPECT_TRUE(plan_.KeepToSeats(3));
  EXPECT_FALSE(plan_.has_route()) << "another way leads through these stops";
  FindRoute();
  EXPECT_THAT(Stops(), ElementsAre("P:a@100", "D:a@200", "P:b@300", "D:b@400"));
  Apply("b", trip::v1::TRIP_STATE_ARRIVED);
  EXPECT_TRUE(plan_.KeepToSeats(3));
  FindRoute();
  EXPECT_THAT(Stops(), ElementsAre("P:b@0*", "D:b@200", "P:a@300", "D:a@400"))
      << "who stands at the car gets in first";
}

}  // namespace
}  // namespace ridestream::dispatch
