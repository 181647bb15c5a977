// Each race of drivers, riders and time, and how it must end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/domain/market/testing/market_tester.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MarketRacesTest : public ::testing::Test {
 protected:
  MarketRacesTest() {
    t_.Connect("d");
    t_.Connect("d-2");
    t_.TakeAll();
  }
  /// The trip's rider is aboard.
  void BeginRide(const std::string& trip, const std::string& driver) {
    t_.AssignTrip(trip, driver);
    for (const auto action : {v1::STOP_ACTION_ARRIVED, v1::STOP_ACTION_PICKED_UP}) {
      t_.Update(driver, trip, action);
      t_.CarryOut();
    }
    t_.DeliverLog();
    t_.TakeAll();
  }
  /// Another market's process, or an earlier life of this one, assigns the trip to d-2.
  void AssignBehindTheBack(const std::string& trip, const std::string& driver = "d-2") {
    trip::v1::AssignTripRequest request;
    request.set_trip_id(trip);
    request.set_offer_id("foreign");
    request.mutable_driver()->set_driver_id(driver);
    ASSERT_TRUE(t_.trips.Do(request).ok());
  }
  std::size_t Rounds() { return t_.Take<FindCandidates>().size(); }

  MarketTester t_;
};

// Two drivers accept one trip.

TEST_F(MarketRacesTest, LoserOfATripIsNotifiedByTripsResponse) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  AssignBehindTheBack("t");
  t_.CarryOut();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ALREADY_TAKEN));
  EXPECT_EQ(Rounds(), 0u) << "the trip looked open, but the log is about to say otherwise";
  t_.DeliverLog();
  t_.Pass(seconds(5));
  EXPECT_EQ(Rounds(), 0u);
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty());
}

TEST_F(MarketRacesTest, LoserOfATripIsNotifiedByTheLog) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  AssignBehindTheBack("t");
  t_.DeliverLog();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ALREADY_TAKEN));
  t_.CarryOut();
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty()) << "an offer ends once";
}

TEST_F(MarketRacesTest, AnOfferOfATripThatIsTakenEndsUnanswered) {
  t_.OfferTrip("t", "d");
  AssignBehindTheBack("t");
  t_.DeliverLog();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ALREADY_TAKEN));
}

// One driver, two offers.

TEST_F(MarketRacesTest, OneRoundNeverGivesADriverTwoOffers) {
  t_.Request("t-1");
  t_.Request("t-2");
  t_.AnswerRound({"d"});
  EXPECT_THAT(t_.Offers("d"), SizeIs(1));
  t_.AnswerRound({"d"});
  EXPECT_THAT(t_.Offers("d"), IsEmpty());
  t_.Pass(seconds(1));
  t_.AnswerRound({"d", "d-2"});
  EXPECT_THAT(t_.Offers("d"), IsEmpty());
  EXPECT_THAT(t_.Offers("d-2"), SizeIs(1));
}

TEST_F(MarketRacesTest, AnOfferIsWithdrawnWhenItsDriverGotAnotherTrip) {
  t_.OfferTrip("t-1", "d");
  t_.trips.Request("t-2", MarketTester::kPickup, MarketTester::kDropoff, t_.now());
  AssignBehindTheBack("t-2", "d");
  t_.DeliverLog();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_WITHDRAWN));
  EXPECT_EQ(Rounds(), 1u) << "t-1 goes to somebody else";
}

// The rider cancels while an accept is in flight.

TEST_F(MarketRacesTest, TheRiderCancelsBeforeTheAnswer) {
  const v1::Offer offer = t_.OfferTrip("t", "d");
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.DeliverLog();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_RIDER_CANCELLED));
  t_.Answer("d", offer, true);
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_RIDER_CANCELLED)) << "said again";
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
}

TEST_F(MarketRacesTest, TheRiderCancelsDuringTheAssignmentAndTheLogIsFirst) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.DeliverLog();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_RIDER_CANCELLED));
  t_.CarryOut();
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty());
  EXPECT_THAT(t_.Plans("d"), IsEmpty());
}

TEST_F(MarketRacesTest, TheRiderCancelsDuringTheAssignmentAndTheAnswerIsFirst) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.CarryOut();
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty()) << "the log will tell why";
  EXPECT_EQ(Rounds(), 0u) << "and the trip isn't offered to others meanwhile";
  t_.DeliverLog();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_RIDER_CANCELLED));
}

TEST_F(MarketRacesTest, TheRiderCancelsJustAfterTheAssignment) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  const auto command = t_.Take<TripCommand>().at(0);
  const auto assigned = t_.trips.Do(command.request);
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.DeliverLog();  // Assigned, then cancelled; the answer is late.
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED));
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_RIDER_CANCELLED);
  EXPECT_EQ(plans[0].stops_size(), 0);
  t_.Handle(CommandDone{command.command, assigned});
  EXPECT_THAT(t_.Plans("d"), IsEmpty()) << "an old record doesn't bring the trip back";
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty());
}

TEST_F(MarketRacesTest, ARefusalThatTheLogNeverExplainsWithdrawsTheOffer) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  t_.FailCommand(absl::FailedPreconditionError("no seats left"));
  t_.Pass(seconds(1));
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_WITHDRAWN));
  t_.AnswerRound({"d", "d-2"});
  EXPECT_THAT(t_.Offers("d"), IsEmpty()) << "it would be refused again";
  EXPECT_THAT(t_.Offers("d-2"), SizeIs(1));
}

// An accept around the end of the lease.

TEST_F(MarketRacesTest, TheServersClockDecidesAboutALateAccept) {
  struct Case {
    Duration after;
    v1::OfferOutcome outcome;
  };
  for (const Case& c : {Case{seconds(15), v1::OFFER_OUTCOME_ACCEPTED},
                        Case{milliseconds(15'499), v1::OFFER_OUTCOME_ACCEPTED},
                        Case{milliseconds(15'500), v1::OFFER_OUTCOME_EXPIRED}}) {
    MarketTester t;
    t.Connect("d");
    const v1::Offer offer = t.OfferTrip("t", "d");
    t.Pass(c.after);
    t.Answer("d", offer, true);
    t.CarryOut();
    const auto outcomes = t.Outcomes("d");
    ASSERT_FALSE(outcomes.empty());
    EXPECT_EQ(outcomes.front(), c.outcome) << c.after.count() << " us";
    EXPECT_EQ(t.trips.Get("t").state() == trip::v1::TRIP_STATE_ASSIGNED,
              c.outcome == v1::OFFER_OUTCOME_ACCEPTED);
  }
}

TEST_F(MarketRacesTest, RejectsALateAcceptThatArrivesBeforeADelayedTimer) {
  const v1::Offer offer = t_.OfferTrip("t", "d");
  MarketTester& t = t_;
  const Time late = t.now() + seconds(16);
  OfferAnswered event{DriverId("d"), {}};
  event.answer.set_offer_id(offer.offer_id());
  event.answer.set_accept(true);
  const auto decisions = t.market().Handle(event, late);
  ASSERT_FALSE(decisions.empty());
  const auto& push = std::get<Push>(decisions[0]);
  EXPECT_EQ(push.message.offer_ended().outcome(), v1::OFFER_OUTCOME_EXPIRED);
}

TEST_F(MarketRacesTest, AnAcceptStopsTheLeaseHoweverLongTripTakes) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  for (int i = 0; i < 40; ++i) {
    t_.FailCommand(absl::DeadlineExceededError("slow"));
    t_.Pass(MarketConfig().command_retry.longest);
  }
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty());
  t_.CarryOut();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED));
}

TEST_F(MarketRacesTest, AnAssignmentWhoseAnswerWasLostIsLearnedFromTheLog) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  const auto command = t_.Take<TripCommand>().at(0);
  ASSERT_TRUE(t_.trips.Do(command.request).ok());
  t_.Handle(CommandDone{command.command, absl::UnavailableError("connection lost")});
  t_.DeliverLog();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED));
  t_.Pass(seconds(1));
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty());
  t_.AnswerRoute();
  EXPECT_THAT(t_.Plans("d"), SizeIs(1));
}

// The driver vanishes.

TEST_F(MarketRacesTest, ADriverLostBeforePickUpLosesTheTrip) {
  t_.AssignTrip("t", "d");
  t_.Handle(DriverDisconnected{DriverId("d"), 1});
  t_.Handle(DriverSuspect{DriverId("d")});
  const auto reports = t_.Take<ReportProgress>();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].progress.progress().driver_status(), trip::v1::DRIVER_STATUS_SUSPECT);
  t_.Pass(seconds(29));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  t_.Pass(seconds(1));
  t_.CarryOut();
  t_.DeliverLog();
  EXPECT_THAT(t_.trips.Get("t").released_driver_ids(), ElementsAre("d"));
  EXPECT_EQ(t_.Plans("d").at(0).cause(), v1::PLAN_CAUSE_REASSIGNED);
  t_.AnswerRound({"d", "d-2"});
  EXPECT_THAT(t_.Offers("d-2"), SizeIs(1));

  t_.Reconnect("d", true);
  t_.Answer("d-2", {}, false);
  t_.Pass(seconds(20));
  t_.AnswerRound({"d"});
  EXPECT_THAT(t_.Offers("d"), IsEmpty()) << "who had it doesn't get it again";
}

TEST_F(MarketRacesTest, ADriverWithAPassengerAboardNeverLosesTheTrip) {
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.CarryOut();
  t_.Update("d", "t", v1::STOP_ACTION_PICKED_UP);
  t_.CarryOut();
  t_.DeliverLog();
  t_.Handle(DriverSuspect{DriverId("d")});
  t_.Handle(SessionDropped{DriverId("d")});
  t_.TakeAll();
  t_.Pass(MarketConfig().lost_after + MarketConfig().abandon_after - seconds(1));
  const auto commands = t_.Take<TripCommand>();
  ASSERT_THAT(commands, SizeIs(1));
  EXPECT_TRUE(std::get<trip::v1::ReportDriverLostRequest>(commands[0].request).lost());
  t_.Reconnect("d", false, 3);
  const auto welcome = t_.Take<SendWelcome>();
  ASSERT_THAT(welcome, SizeIs(1));
  EXPECT_EQ(welcome[0].snapshot.plan().stops_size(), 1);
}

TEST_F(MarketRacesTest, ATripWhoseDriverStaysAwayWithTheRiderAboardEnds) {
  BeginRide("t", "d");
  t_.Handle(DriverSuspect{DriverId("d")});
  t_.Pass(MarketConfig().lost_after);
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_TRUE(t_.trips.Get("t").has_driver_lost_at());
  t_.DeliverLog();
  t_.Pass(MarketConfig().abandon_after - Duration(1));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  t_.Pass(Duration(1));
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_EQ(t_.trips.Get("t").state(), trip::v1::TRIP_STATE_CANCELLED);
  EXPECT_EQ(t_.trips.Get("t").cancellation().reason(), trip::v1::CANCEL_REASON_DRIVER_LOST);
  EXPECT_EQ(t_.Plans("d").back().stops_size(), 0);
}

TEST_F(MarketRacesTest, ALostDriverWhoIsHeardAgainKeepsItsRider) {
  BeginRide("t", "d");
  t_.Handle(DriverSuspect{DriverId("d")});
  t_.Pass(MarketConfig().lost_after);
  // Heard while the report to trip is in flight: the current state follows.
  t_.Handle(DriverHeard{DriverId("d")});
  t_.DeliverLog();
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_TRUE(t_.trips.Get("t").has_driver_lost_at());
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_FALSE(t_.trips.Get("t").has_driver_lost_at());
  t_.DeliverLog();
  t_.Pass(std::chrono::hours(1));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
}

TEST_F(MarketRacesTest, ALostDriversTripEndsAlsoAfterARestart) {
  BeginRide("t", "d");
  t_.Handle(DriverSuspect{DriverId("d")});
  t_.Pass(MarketConfig().lost_after);
  t_.CarryOut();
  t_.Restart();
  t_.DeliverLog();
  t_.Handle(LogCaughtUp{});
  t_.Pass(MarketConfig().abandon_after - Duration(1));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty()) << "trip knows already that the driver is lost";
  t_.Pass(Duration(1));
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_EQ(t_.trips.Get("t").state(), trip::v1::TRIP_STATE_CANCELLED);
}

TEST_F(MarketRacesTest, ARiderWhoLeavesALostDriverIsTakenOutOfItsPlan) {
  BeginRide("t", "d");
  t_.Handle(DriverSuspect{DriverId("d")});
  t_.Pass(MarketConfig().lost_after);
  t_.CarryOut();
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.DeliverLog();
  EXPECT_EQ(t_.Plans("d").back().stops_size(), 0);
  t_.Pass(std::chrono::hours(1));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
}

TEST_F(MarketRacesTest, ADriverWhoIsHeardInTimeKeepsTheTrip) {
  t_.AssignTrip("t", "d");
  t_.Handle(DriverSuspect{DriverId("d")});
  t_.Pass(seconds(29));
  t_.Handle(DriverHeard{DriverId("d")});
  const auto reports = t_.Take<ReportProgress>();
  EXPECT_EQ(reports.back().progress.progress().driver_status(), trip::v1::DRIVER_STATUS_CONNECTED);
  t_.Pass(seconds(60));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
}

TEST_F(MarketRacesTest, ADriverWhoIsBackWhileTheReleaseIsInFlightAcceptsItsResult) {
  t_.AssignTrip("t", "d");
  t_.Handle(DriverSuspect{DriverId("d")});
  t_.Pass(seconds(30));
  t_.Handle(DriverHeard{DriverId("d")});
  t_.CarryOut();
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_REASSIGNED);
}

TEST_F(MarketRacesTest, ADriverLostDuringTheAssignmentLosesTheTripAfterwards) {
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  t_.Handle(SessionDropped{DriverId("d")});
  t_.Pass(seconds(31));
  t_.CarryOut();
  t_.DeliverLog();
  EXPECT_EQ(t_.trips.Get("t").state(), trip::v1::TRIP_STATE_ASSIGNED);
  t_.Pass(seconds(30));
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_EQ(t_.trips.Get("t").state(), trip::v1::TRIP_STATE_REQUESTED);
  EXPECT_EQ(t_.Take<SetAvailability>().back().state, location::v1::DRIVER_STATE_OFFLINE);
}

TEST_F(MarketRacesTest, AnOfferOutlivesAShortDisconnection) {
  const v1::Offer offer = t_.OfferTrip("t", "d");
  t_.Handle(DriverDisconnected{DriverId("d"), 1});
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty());
  t_.Pass(seconds(5));
  t_.Reconnect("d", true);
  t_.Answer("d", offer, true);
  t_.CarryOut();
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED));
}

TEST_F(MarketRacesTest, AnOfferEndsWithItsDriversSession) {
  t_.OfferTrip("t", "d");
  t_.TakeAll();
  t_.Handle(SessionDropped{DriverId("d")});
  EXPECT_THAT(t_.Outcomes("d"), IsEmpty()) << "no stream is open to notify";
  t_.AnswerRound({"d", "d-2"});
  EXPECT_THAT(t_.Offers("d-2"), SizeIs(1));
}

// The same request twice, a log that repeats itself.

TEST_F(MarketRacesTest, ARepeatedLogChangesNothing) {
  t_.AssignTrip("t", "d");
  for (const auto& event : t_.trips.log()) t_.Handle(TripLogged{event});
  t_.Handle(LogCaughtUp{});
  EXPECT_THAT(t_.Take<Push>(), IsEmpty());
  EXPECT_THAT(t_.Take<FindCandidates>(), IsEmpty());
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
}

TEST_F(MarketRacesTest, HandlesTheLogBeforeAndAfterTheResponse) {
  for (const bool log_first : {true, false}) {
    MarketTester t;
    t.Connect("d");
    t.AssignTrip("t", "d");
    for (const auto action :
         {v1::STOP_ACTION_ARRIVED, v1::STOP_ACTION_PICKED_UP, v1::STOP_ACTION_DROPPED_OFF}) {
      t.Update("d", "t", action);
      const auto command = t.Take<TripCommand>().at(0);
      const auto done = t.trips.Do(command.request);
      if (log_first) t.DeliverLog();
      t.Handle(CommandDone{command.command, done});
      EXPECT_THAT(t.Plans("d"), SizeIs(1));
    }
    t.DeliverLog();
    EXPECT_THAT(t.Plans("d"), IsEmpty()) << "an ended trip isn't brought back";
    EXPECT_THAT(t.Take<FindRoute>(), IsEmpty());
  }
}

}  // namespace
}  // namespace ridestream::dispatch
