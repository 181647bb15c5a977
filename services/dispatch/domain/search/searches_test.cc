#include "services/dispatch/domain/search/searches.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kStart = ScaledClock::kAnchor;
const TripId kTrip("t");

class SearchesTest : public ::testing::Test {
 protected:
  /// The trip has a new version in this state.
  void Record(trip::v1::TripState state, const std::string& released = "") {
    trip::v1::Trip trip;
    trip.set_trip_id(kTrip.str());
    trip.set_version(++version_);
    trip.set_state(state);
    trip.mutable_passenger()->set_party_size(1);
    *trip.mutable_requested_at() = ToProto(kStart);
    if (!released.empty()) trip.add_released_driver_ids(released);
    trips_.Record(trip);
  }
  void Continue(Time now) {
    Step step(now);
    searches_.Continue(kTrip, now, step);
    Keep(step);
  }
  /// How far a round at this time looks, which finds nobody; nothing if it doesn't ask.
  std::optional<std::uint32_t> LookInVain(Time now) {
    const auto round = searches_.waiting().StartRound(now);
    if (!round) return std::nullopt;
    searches_.FinishRound(
        {round->round, {{{kTrip, {}}}}},
        [](const WaitingTrip&, const DriverId&) { return Eligibility::kYes; },
        [](const TripId&, const InsertionFound&) { return true; }, now);
    Step step(now);
    searches_.GiveUpAfterLastLooks(step);
    Keep(step);
    return round->queries.at(0).radius_m;
  }
  void TimeIsUp(Time now) {
    Step step(now);
    searches_.TimeIsUp(kTrip, step);
    Keep(step);
  }
  void ConnectFreeDriver() {
    Step step(kStart);
    DriverConnected connected{.driver = DriverId("d"), .epoch = 1, .resumed = false, .hello = {}};
    connected.hello.set_seats(4);
    fleet_.Connect(connected, nullptr, step);
  }
  bool GivesUp() const { return commands_.IsPending<trip::v1::GiveUpTripRequest>(kTrip); }
  void Keep(Step& step) { step.TakeDecisions(); }

  std::uint64_t version_ = 0;
  Timers timers_;
  TripBook trips_;
  Fleet fleet_{seconds(30), {}, timers_};
  TripCommands commands_{{seconds(1), seconds(15)}, timers_};
  Searches searches_{{.rounds = {seconds(1), 10'000},
                      .radius_m = 2'000,
                      .max_wait = minutes(5),
                      .price_hold = seconds(10)},
                     trips_,
                     fleet_,
                     commands_,
                     timers_};
};

TEST_F(SearchesTest, SearchKeepsItsRadiusAfterAnOffer) {
  Record(trip::v1::TRIP_STATE_REQUESTED);
  Continue(kStart);
  EXPECT_EQ(LookInVain(kStart), 2'000u);
  const auto round = searches_.waiting().StartRound(kStart + seconds(1));
  ASSERT_TRUE(round);
  EXPECT_EQ(round->queries.at(0).radius_m, 4'000u);
  const auto matches = searches_.FinishRound(
      {round->round, {{{kTrip, {{DriverId("d"), LatLng{}, seconds(10)}}}}}},
      [](const WaitingTrip&, const DriverId&) { return Eligibility::kYes; },
      [](const TripId&, const InsertionFound&) { return true; }, kStart + seconds(1));
  ASSERT_EQ(matches.size(), 1u);
  EXPECT_FALSE(searches_.IsWaiting(kTrip));

  Continue(kStart + seconds(20));
  EXPECT_EQ(LookInVain(kStart + seconds(20)), 4'000u);
  // The time it was offered counts as well.
  EXPECT_EQ(timers_.Next(), kStart + minutes(5));
}

TEST_F(SearchesTest, SearchStartsAgainWhenATripLosesItsDriver) {
  Record(trip::v1::TRIP_STATE_REQUESTED);
  Continue(kStart);
  LookInVain(kStart);
  searches_.Decline(kTrip, DriverId("unwilling"));
  Record(trip::v1::TRIP_STATE_ASSIGNED);
  searches_.Found(kTrip);
  EXPECT_EQ(timers_.Next(), std::nullopt);

  Record(trip::v1::TRIP_STATE_REQUESTED, "lost");
  Continue(kStart + minutes(10));
  EXPECT_EQ(timers_.Next(), kStart + minutes(15));
  EXPECT_EQ(LookInVain(kStart + minutes(10)), 2'000u);
  // Drivers who declined or had the trip before are never asked again.
  EXPECT_EQ(searches_.EligibilityOf(kTrip, DriverId("unwilling")), Eligibility::kNo);
  EXPECT_EQ(searches_.EligibilityOf(kTrip, DriverId("lost")), Eligibility::kNo);
  EXPECT_EQ(searches_.EligibilityOf(kTrip, DriverId("other")), Eligibility::kYes);
}

TEST_F(SearchesTest, DriverOfAnExpiredOfferIsALastResort) {
  Record(trip::v1::TRIP_STATE_REQUESTED);
  searches_.OfferExpired(kTrip, DriverId("silent"));
  EXPECT_EQ(searches_.EligibilityOf(kTrip, DriverId("silent")), Eligibility::kLastResort);
  searches_.Decline(kTrip, DriverId("silent"));
  EXPECT_EQ(searches_.EligibilityOf(kTrip, DriverId("silent")), Eligibility::kNo);
}

TEST_F(SearchesTest, IsGivenUpAfterALastLookAsFarAsItMayGo) {
  ConnectFreeDriver();
  Record(trip::v1::TRIP_STATE_REQUESTED);
  Continue(kStart);
  TimeIsUp(kStart + minutes(5));
  EXPECT_TRUE(searches_.IsWaiting(kTrip));
  EXPECT_FALSE(GivesUp());
  EXPECT_EQ(LookInVain(kStart + minutes(5)), 10'000u);
  EXPECT_FALSE(searches_.IsWaiting(kTrip));
  EXPECT_TRUE(GivesUp());
}

TEST_F(SearchesTest, LastLookNeedsAFreeDriver) {
  Record(trip::v1::TRIP_STATE_REQUESTED);
  Continue(kStart);
  TimeIsUp(kStart + minutes(5));
  EXPECT_TRUE(GivesUp());
  // While that is under way nobody looks.
  Continue(kStart + minutes(5));
  EXPECT_FALSE(searches_.IsWaiting(kTrip));
}

TEST_F(SearchesTest, AnEndedTripLeavesNoState) {
  Record(trip::v1::TRIP_STATE_REQUESTED);
  Continue(kStart);
  Record(trip::v1::TRIP_STATE_CANCELLED);
  searches_.Forget(kTrip);
  EXPECT_FALSE(searches_.IsWaiting(kTrip));
  EXPECT_EQ(timers_.Next(), std::nullopt);
  searches_.Decline(kTrip, DriverId("late"));
  EXPECT_EQ(searches_.EligibilityOf(kTrip, DriverId("late")), Eligibility::kNo);
}

}  // namespace
}  // namespace ridestream::dispatch
