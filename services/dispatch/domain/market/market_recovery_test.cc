// What a market makes of a log that it reads after a crash, and of drivers who come back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/domain/market/testing/market_tester.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class MarketRecoveryTest : public ::testing::Test {
 protected:
  v1::Snapshot TakeSnapshot() {
    const auto welcome = t_.Take<SendWelcome>();
    return welcome.empty() ? v1::Snapshot() : welcome.back().snapshot;
  }

  MarketTester t_;
};

TEST_F(MarketRecoveryTest, NothingIsMatchedBeforeTheLogHasBeenRead) {
  t_.Request("t-1");
  t_.Request("t-2");
  ASSERT_TRUE(t_.trips.Cancel("t-2").ok());
  t_.Restart();
  t_.Connect("d");
  t_.DeliverLog();
  t_.Pass(minutes(10));
  EXPECT_THAT(t_.Take<FindCandidates>(), IsEmpty());
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  t_.Handle(LogCaughtUp{});
  const auto rounds = t_.Take<FindCandidates>();
  ASSERT_THAT(rounds, SizeIs(1));
  ASSERT_THAT(rounds[0].queries, SizeIs(1));
  EXPECT_EQ(rounds[0].queries[0].trip, TripId("t-1"));
  t_.Pass(minutes(5) - seconds(1));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty()) << "it starts to wait again";
  t_.Pass(seconds(1));
  t_.AnswerRound({});
  t_.AnswerRound({});  // The last look.
  EXPECT_THAT(t_.Take<TripCommand>(), SizeIs(1));
}

TEST_F(MarketRecoveryTest, ADriverWhoComesBackIsGivenItsPlanAndThenItsRoute) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.CarryOut();
  t_.Restart();
  t_.DeliverLog();
  t_.Handle(LogCaughtUp{});
  EXPECT_EQ(t_.Take<ReportProgress>().at(0).progress.progress().driver_status(),
            trip::v1::DRIVER_STATUS_SUSPECT);
  t_.Pass(seconds(5));
  t_.Reconnect("d", false, 17);
  const v1::Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(snapshot.plan().version(), 18u);
  EXPECT_EQ(snapshot.plan().cause(), v1::PLAN_CAUSE_RESTORED);
  ASSERT_EQ(snapshot.plan().stops_size(), 2);
  EXPECT_TRUE(snapshot.plan().stops(0).arrived());
  EXPECT_EQ(snapshot.plan().route_id(), 0u);
  const auto changes = t_.Take<SetAvailability>();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].state, location::v1::DRIVER_STATE_EN_ROUTE);
  EXPECT_TRUE(changes[0].wants_positions);
  EXPECT_THAT(t_.Take<FindRoute>(), IsEmpty()) << "nobody knows where it is";
  EXPECT_THAT(t_.Plans("d"), IsEmpty());

  t_.Move("d");
  t_.AnswerRoute();
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].version(), 19u);
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_REROUTED);
  EXPECT_TRUE(plans[0].has_route());
  t_.Pass(minutes(2));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty()) << "it is back, nothing is taken from it";
}

TEST_F(MarketRecoveryTest, AbsentDriverLosesTripsBeforeThePickUp) {
  for (const std::string driver : {"d-1", "d-2"}) {
    t_.Connect(driver);
    t_.AssignTrip("t-of-" + driver, driver);
  }
  t_.Update("d-2", "t-of-d-2", v1::STOP_ACTION_ARRIVED);
  t_.CarryOut();
  t_.Update("d-2", "t-of-d-2", v1::STOP_ACTION_PICKED_UP);
  t_.CarryOut();
  t_.Restart();
  t_.DeliverLog();
  t_.Pass(minutes(1));
  t_.Handle(LogCaughtUp{});
  t_.Pass(seconds(29));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  t_.Pass(seconds(1));
  EXPECT_EQ(t_.CarryOut(), 2u);
  t_.DeliverLog();
  EXPECT_EQ(t_.trips.Get("t-of-d-1").state(), trip::v1::TRIP_STATE_REQUESTED);
  EXPECT_EQ(t_.trips.Get("t-of-d-2").state(), trip::v1::TRIP_STATE_ABOARD);
  EXPECT_TRUE(t_.trips.Get("t-of-d-2").has_driver_lost_at());
  EXPECT_THAT(t_.Take<FindCandidates>(), SizeIs(1));
}

TEST_F(MarketRecoveryTest, DriverConnectedBeforeTheLogWasReadIsWelcomedAfterwards) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Restart();
  t_.Reconnect("d", false, 5);
  EXPECT_FALSE(TakeSnapshot().has_plan());
  t_.DeliverLog();
  EXPECT_THAT(t_.Plans("d"), IsEmpty());
  t_.Handle(LogCaughtUp{});
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_RESTORED);
  EXPECT_EQ(plans[0].version(), 6u);
  EXPECT_THAT(t_.Take<ReportProgress>(), IsEmpty()) << "it isn't suspect";
}

TEST_F(MarketRecoveryTest, OldEventsOfAnEndedTripLeaveNoState) {
  t_.Request("open");
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  ASSERT_TRUE(t_.trips.Cancel("open").ok());
  t_.Restart();
  for (const auto& event : t_.trips.log()) t_.Handle(TripLogged{event});
  t_.Handle(LogCaughtUp{});
  t_.Pass(minutes(10));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  EXPECT_THAT(t_.Take<FindCandidates>(), IsEmpty());
  EXPECT_EQ(t_.market().NextWake(), std::nullopt);
  t_.Connect("d");
  EXPECT_FALSE(TakeSnapshot().has_plan());
}

TEST_F(MarketRecoveryTest, AnAcceptWhoseAnswerWasLostInTheCrashIsAnsweredNow) {
  t_.Connect("d");
  const v1::Offer offer = t_.OfferTrip("t", "d");
  t_.Answer("d", offer, true);
  t_.CarryOut();
  t_.Restart();
  t_.DeliverLog();
  t_.Handle(LogCaughtUp{});
  t_.Reconnect("d", false);
  t_.Answer("d", offer, true);
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED));
}

// Sessions.

TEST_F(MarketRecoveryTest, SnapshotHoldsOfferAndWholePlanOfResumedAndFreshSessions) {
  t_.Connect("d");
  const v1::Offer offer = t_.OfferTrip("t", "d");
  for (const bool resumed : {true, false}) {
    t_.Reconnect("d", resumed);
    EXPECT_EQ(TakeSnapshot().offer().offer_id(), offer.offer_id()) << resumed;
  }

  t_.Answer("d", offer, true);
  t_.CarryOut();
  t_.AnswerRoute();
  const v1::Plan pushed = t_.Plans("d").at(0);
  for (const bool resumed : {true, false}) {
    t_.Reconnect("d", resumed, pushed.version());
    const v1::Snapshot snapshot = TakeSnapshot();
    EXPECT_FALSE(snapshot.has_offer()) << resumed;
    EXPECT_GT(snapshot.plan().version(), pushed.version()) << resumed;
    EXPECT_EQ(snapshot.plan().stops_size(), 2) << resumed;
    EXPECT_EQ(snapshot.plan().route_id(), pushed.route_id()) << resumed;
    EXPECT_TRUE(snapshot.plan().has_route()) << "the plan stands there whole";
  }
  EXPECT_EQ(t_.Take<SetAvailability>().size(), 7u) << "five connections, two changes";
}

TEST_F(MarketRecoveryTest, SnapshotOfAResumedSessionIsEmptyWithoutAPlan) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.TakeAll();
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.DeliverLog();
  const v1::Plan pushed = t_.Plans("d").at(0);
  t_.Reconnect("d", true);
  const v1::Snapshot snapshot = TakeSnapshot();
  ASSERT_TRUE(snapshot.has_plan());
  EXPECT_GT(snapshot.plan().version(), pushed.version());
  EXPECT_EQ(snapshot.plan().stops_size(), 0);
}

TEST_F(MarketRecoveryTest, CommandsOfANewerProtocolAreRejectedAndTheSessionContinues) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Take<Push>();
  t_.GiveUp("d", "t", static_cast<v1::GiveUpCause>(17));
  StopUpdated step{DriverId("d"), {}};
  step.update.set_trip_id("t");
  step.update.set_action(static_cast<v1::StopAction>(17));
  t_.Handle(step);
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  const auto pushes = t_.Take<Push>();
  ASSERT_THAT(pushes, SizeIs(2));
  for (const Push& push : pushes) {
    EXPECT_EQ(push.message.rejected().code(), v1::REJECTION_CODE_INVALID_ARGUMENT);
  }
}

// Ends of shifts.

TEST_F(MarketRecoveryTest, ShiftEndsWhenTheDriverHasNothingToDo) {
  t_.Connect("d");
  const v1::Offer offer = t_.OfferTrip("t", "d");
  t_.Handle(ShiftEnded{DriverId("d"), 1});
  const auto ends = t_.Take<EndSession>();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].epoch, 1u);
  t_.Handle(SessionDropped{DriverId("d")});
  EXPECT_THAT(t_.Take<SetAvailability>().back().state, location::v1::DRIVER_STATE_OFFLINE);
  t_.Connect("e");
  t_.Pass(seconds(1));
  EXPECT_THAT(t_.Take<FindCandidates>(), Not(IsEmpty())) << "the trip that was offered waits again";
}

TEST_F(MarketRecoveryTest, ShiftCantEndWhileTheDriverHasOrGetsATrip) {
  t_.Connect("d");
  const v1::Offer offer = t_.OfferTrip("t", "d");
  t_.Answer("d", offer, true);
  for (const bool assigned : {false, true}) {
    if (assigned) {
      t_.CarryOut();
      t_.AnswerRoute();
    }
    t_.Take<Push>();
    t_.Handle(ShiftEnded{DriverId("d"), 1});
    EXPECT_THAT(t_.Take<EndSession>(), IsEmpty()) << assigned;
    const auto pushes = t_.Take<Push>();
    ASSERT_THAT(pushes, SizeIs(1)) << assigned;
    const v1::Rejected& rejected = pushes[0].message.rejected();
    EXPECT_TRUE(rejected.has_end_shift()) << assigned;
    EXPECT_EQ(rejected.code(), v1::REJECTION_CODE_FAILED_PRECONDITION) << assigned;
  }
}

TEST_F(MarketRecoveryTest, EndOfShiftOfAnOlderStreamIsIgnored) {
  t_.Connect("d");
  t_.Reconnect("d", true);
  t_.TakeAll();
  t_.Handle(ShiftEnded{DriverId("d"), 1});
  EXPECT_THAT(t_.Take<EndSession>(), IsEmpty());
  EXPECT_THAT(t_.Take<Push>(), IsEmpty());
}

TEST_F(MarketRecoveryTest, AnOfferThatHasRunOutIsNotInTheSnapshot) {
  t_.Connect("d");
  t_.OfferTrip("t", "d");
  t_.Pass(seconds(15));
  t_.Reconnect("d", false);
  EXPECT_FALSE(TakeSnapshot().has_offer());
}

TEST_F(MarketRecoveryTest, AFreshSessionDuringASearchForARouteGetsTheRouteLater) {
  t_.Connect("d");
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  t_.CarryOut();
  t_.Reconnect("d", false);
  const v1::Snapshot snapshot = TakeSnapshot();
  EXPECT_EQ(snapshot.plan().stops_size(), 2);
  EXPECT_EQ(snapshot.plan().route_id(), 0u);
  t_.AnswerRoute();
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_REROUTED);
  EXPECT_GT(plans[0].version(), snapshot.plan().version());
}

TEST_F(MarketRecoveryTest, TheLateEndOfAnOldStreamDoesNotRemoveTheNewOne) {
  t_.Connect("d");
  t_.Reconnect("d", true);
  t_.Handle(DriverDisconnected{DriverId("d"), 1});
  t_.OfferTrip("t", "d");
  t_.TakeAll();

  DriverConnected late{DriverId("d"), 1, false, {}};
  t_.Handle(late);
  EXPECT_THAT(t_.Take<SendWelcome>(), IsEmpty()) << "a stream that was fenced";
}

TEST_F(MarketRecoveryTest, ADroppedIdleDriverIsForgotten) {
  t_.Connect("d");
  t_.TakeAll();
  t_.Handle(SessionDropped{DriverId("d")});
  const auto changes = t_.Take<SetAvailability>();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].state, location::v1::DRIVER_STATE_OFFLINE);
  EXPECT_FALSE(changes[0].wants_positions);
  EXPECT_EQ(t_.market().NextWake(), std::nullopt);
}

TEST_F(MarketRecoveryTest, PlanVersionsContinueAfterTheLastOneSeen) {
  struct Case {
    std::uint64_t seen;
    std::uint64_t next;
  };
  for (const Case& c : {Case{0, 3}, Case{1, 3}, Case{100, 102}}) {
    MarketTester t;
    t.Connect("d");
    t.AssignTrip("t", "d");          // Version 1.
    t.Reconnect("d", true, c.seen);  // The snapshot's plan takes the next version.
    ASSERT_TRUE(t.trips.Cancel("t").ok());
    t.DeliverLog();
    EXPECT_EQ(t.Plans("d").at(0).version(), c.next);
  }
}

TEST_F(MarketRecoveryTest, ADroppedSessionFencesNoLaterOne) {
  t_.Connect("d-1");
  t_.Reconnect("d-1", /*resumed=*/true);
  t_.AssignTrip("t-1", "d-1");
  t_.Handle(SessionDropped{DriverId("d-1")});
  t_.TakeAll();
  // The driver never saw the last Welcome, so its next epoch is no larger than that one's.
  DriverConnected event{DriverId("d-1"), 1, false, {}};
  event.hello.set_seats(4);
  t_.Handle(event);
  EXPECT_THAT(t_.Take<SendWelcome>(), SizeIs(1));
}

}  // namespace
}  // namespace ridestream::dispatch
