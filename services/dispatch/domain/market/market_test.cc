#include "services/dispatch/domain/market/market.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/assignment/matchmaker.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/drivers/plan_publisher.h"
#include "services/dispatch/domain/market/testing/market_tester.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MarketTest : public ::testing::Test {
 protected:
  std::vector<std::string> States() {
    std::vector<std::string> states;
    for (const auto& a : t_.Take<SetAvailability>()) {
      states.push_back(location::v1::DriverState_Name(a.state).substr(13) + ":" +
                       std::to_string(a.free_seats) + (a.wants_positions ? "+" : ""));
    }
    return states;
  }
  std::vector<TripId> Asked() {
    std::vector<TripId> trips;
    for (const auto& round : t_.Take<FindCandidates>()) {
      for (const auto& query : round.queries) trips.push_back(query.trip);
    }
    return trips;
  }

  MarketTester t_;
};

TEST_F(MarketTest, ARideFromRequestToDropOff) {
  t_.Connect("d");
  EXPECT_THAT(t_.Take<SendWelcome>(), SizeIs(1));
  EXPECT_THAT(States(), ElementsAre("IDLE:4"));

  const v1::Offer offer = t_.OfferTrip("t", "d");
  EXPECT_EQ(offer.trip_id(), "t");
  EXPECT_EQ(offer.pickup_eta_s(), 60u);
  EXPECT_EQ(offer.fare().amount_minor(), 1'250);
  EXPECT_EQ(offer.trip_duration_s(), 240u);
  EXPECT_EQ(offer.trip_length_m(), 2'400u);
  EXPECT_EQ(FromProto(offer.decided_at()), t_.now());
  EXPECT_EQ(FromProto(offer.expires_at()), t_.now() + seconds(15));
  EXPECT_THAT(States(), ElementsAre("OFFERED:4+"));

  t_.Answer("d", offer, true);
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED));
  EXPECT_THAT(States(), ElementsAre("EN_ROUTE:3+"));
  EXPECT_THAT(t_.Plans("d"), IsEmpty()) << "its route is still being looked for";
  t_.DeliverLog();  // Says nothing new.
  t_.AnswerRoute();
  auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_RIDER_ADDED);
  EXPECT_EQ(plans[0].stops_size(), 2);
  EXPECT_EQ(plans[0].stops(0).passenger().name(), "Rider t");
  EXPECT_TRUE(plans[0].has_route());
  const std::uint64_t route = plans[0].route_id();

  const v1::StopAction actions[] = {v1::STOP_ACTION_ARRIVED, v1::STOP_ACTION_PICKED_UP,
                                    v1::STOP_ACTION_DROPPED_OFF};
  const int stops_left[] = {2, 1, 0};
  const std::string states[] = {"", "OCCUPIED:3+", "IDLE:4"};
  for (int i = 0; i < 3; ++i) {
    t_.Update("d", "t", actions[i]);
    EXPECT_EQ(t_.CarryOut(), 1u);
    t_.DeliverLog();
    plans = t_.Plans("d");
    ASSERT_THAT(plans, SizeIs(1)) << i;
    EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_STOP_DONE);
    EXPECT_EQ(plans[0].stops_size(), stops_left[i]);
    EXPECT_EQ(plans[0].route_id(), i < 2 ? route : 0);
    EXPECT_FALSE(plans[0].has_route()) << "the driver has it";
    const auto states_seen = States();
    EXPECT_EQ(states_seen.empty() ? "" : states_seen.back(), states[i]);
  }
  EXPECT_THAT(t_.Take<FindRoute>(), IsEmpty());
  EXPECT_EQ(t_.market().NextWake(), std::nullopt);
}

TEST_F(MarketTest, ADeclinedTripGoesToTheNextDriverAtOnceAndNeverBack) {
  t_.Connect("d-1");
  t_.Connect("d-2");
  t_.Request("t");
  t_.AnswerRound({"d-1", "d-2"});
  t_.Answer("d-1", t_.Offers("d-1").at(0), false);
  EXPECT_THAT(t_.Outcomes("d-1"), ElementsAre(v1::OFFER_OUTCOME_DECLINED));
  t_.AnswerRound({"d-1", "d-2"});
  EXPECT_THAT(t_.Offers("d-1"), IsEmpty());
  t_.Answer("d-2", t_.Offers("d-2").at(0), false);
  for (int i = 0; i < 5; ++i) {
    t_.AnswerRound({"d-1", "d-2"});
    t_.Pass(seconds(1));
  }
  EXPECT_THAT(t_.Offers("d-1"), IsEmpty());
  EXPECT_THAT(t_.Offers("d-2"), IsEmpty());
}

TEST_F(MarketTest, ASilentDriverIsAskedAgainButAfterAllOthers) {
  t_.Connect("near");
  t_.Connect("far");
  t_.OfferTrip("t", "near");
  t_.Pass(seconds(15) + milliseconds(500));
  EXPECT_THAT(t_.Outcomes("near"), ElementsAre(v1::OFFER_OUTCOME_EXPIRED));
  t_.AnswerRound({"near", "far"});
  t_.Answer("far", t_.Offers("far").at(0), false);
  // Nobody but the silent one: first the whole neighbourhood is asked.
  for (const int radius_km : {2, 4, 8}) {
    t_.AnswerRound({"near", "far"});
    EXPECT_THAT(t_.Offers("near"), IsEmpty()) << radius_km << " km";
    t_.Pass(seconds(1));
  }
  t_.AnswerRound({"near", "far"});
  EXPECT_THAT(t_.Offers("near"), SizeIs(1));
}

TEST_F(MarketTest, OnlyAFreeDriverIsOffered) {
  struct Case {
    const char* name;
    std::function<void(MarketTester&)> prepare;
    bool offered;
  };
  const Case cases[] = {
      {"free", [](MarketTester&) {}, true},
      {"disconnected",
       [](MarketTester& t) {
         t.Handle(DriverDisconnected{DriverId("d"), 1});
       },
       false},
      {"an older stream ended",
       [](MarketTester& t) {
         t.Handle(DriverDisconnected{DriverId("d"), 0});
       },
       true},
      {"suspect", [](MarketTester& t) { t.Handle(DriverSuspect{DriverId("d")}); }, false},
      {"heard again",
       [](MarketTester& t) {
         t.Handle(DriverSuspect{DriverId("d")});
         t.Handle(DriverHeard{DriverId("d")});
       },
       true},
      {"gone", [](MarketTester& t) { t.Handle(SessionDropped{DriverId("d")}); }, false},
      {"offered", [](MarketTester& t) { t.OfferTrip("other", "d"); }, false},
      {"assigning", [](MarketTester& t) { t.Answer("d", t.OfferTrip("other", "d"), true); }, false},
      {"busy", [](MarketTester& t) { t.AssignTrip("other", "d"); }, false},
      {"too small", [](MarketTester& t) { t.Connect("d", 2); }, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    MarketTester t;
    t.Connect("d");
    c.prepare(t);
    t.TakeAll();
    t.Request("t", 3);
    t.AnswerRound({"d", "unknown"});
    EXPECT_EQ(t.Offers("d").size(), c.offered ? 1u : 0u);
  }
}

TEST_F(MarketTest, RoundsContinueOnlyWhileATripWaits) {
  t_.Request("t");
  EXPECT_THAT(Asked(), ElementsAre(TripId("t")));
  t_.Pass(seconds(5));
  EXPECT_THAT(Asked(), IsEmpty()) << "the first is still in flight";
  t_.Pass(Matchmaker::kRoundPatience - seconds(4));
  EXPECT_THAT(Asked(), ElementsAre(TripId("t"))) << "an answer that never came is given up";
  t_.Handle(CandidatesFound{2, absl::UnavailableError("location is down")});
  t_.Pass(seconds(1));
  EXPECT_THAT(Asked(), ElementsAre(TripId("t")));
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.DeliverLog();
  t_.Handle(CandidatesFound{3, std::vector<CandidatesFound::ForTrip>{}});
  t_.Pass(minutes(10));
  EXPECT_THAT(Asked(), IsEmpty());
  EXPECT_EQ(t_.market().NextWake(), std::nullopt);
}

TEST_F(MarketTest, TwoTripsOfOneRiderInARoundAreTwoTrips) {
  // Trip allows a rider one open trip. Should its log have two, it isn't the market that judges.
  for (const char* driver : {"d-1", "d-2"}) t_.Connect(driver);
  for (const char* trip : {"t-1", "t-2"}) {
    t_.trips.Request(trip, MarketTester::kPickup, MarketTester::kDropoff, t_.now());
    trip::v1::TripEvent event = t_.trips.log().back();
    event.mutable_trip()->mutable_passenger()->set_rider_id("ada");
    t_.Handle(TripLogged{event});
  }
  t_.AnswerRound({});  // To the first alone.
  t_.Pass(seconds(1));
  t_.AnswerRound({"d-1", "d-2"});
  const auto first = t_.Offers("d-1"), second = t_.Offers("d-2");
  ASSERT_THAT(first, SizeIs(1));
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_NE(first[0].trip_id(), second[0].trip_id());
}

TEST_F(MarketTest, TripWithoutADriverIsGivenUp) {
  t_.Request("t");
  t_.Pass(minutes(5) - seconds(1));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  t_.Pass(seconds(1));
  EXPECT_EQ(t_.CarryOut(), 1u);
  t_.DeliverLog();
  EXPECT_EQ(t_.trips.Get("t").state(), trip::v1::TRIP_STATE_UNSERVED);
  t_.Pass(minutes(10));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
}

TEST_F(MarketTest, AnOfferedTripIsGivenUpOnlyWhenItsOfferEnds) {
  t_.Connect("d");
  t_.Request("t");
  t_.Pass(minutes(5) - seconds(1));
  t_.AnswerRound({"d"});
  ASSERT_THAT(t_.Offers("d"), SizeIs(1));
  t_.Pass(seconds(10));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  t_.Pass(seconds(10));
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_EXPIRED));
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty()) << "it looks once more";
  t_.AnswerRound({});
  EXPECT_THAT(t_.Take<TripCommand>(), SizeIs(1));
}

TEST_F(MarketTest, LastLookTakesADriverAtAnyCost) {
  t_.Connect("d");
  t_.Request("t");
  t_.Pass(minutes(5) - seconds(1));
  t_.AnswerRound({});
  t_.Pass(seconds(1));
  t_.AnswerRound({});
  const FindCandidates last = t_.Take<FindCandidates>().back();
  ASSERT_THAT(last.queries, SizeIs(1));
  EXPECT_EQ(last.queries[0].radius_m, MarketConfig().max_radius_m);
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  t_.Handle(CandidatesFound{
      last.round, std::vector<CandidatesFound::ForTrip>{
                      {TripId("t"), {{DriverId("d"), MarketTester::kCar, minutes(10)}}}}});
  const auto offers = t_.Offers("d");
  ASSERT_THAT(offers, SizeIs(1));
  t_.Answer("d", offers[0], false);
  EXPECT_THAT(t_.Take<TripCommand>(), SizeIs(1)) << "there is one last look";
}

TEST_F(MarketTest, ALastLookWithoutAnAnswerGivesTheTripUp) {
  t_.Connect("d");
  t_.Request("t");
  t_.Pass(minutes(5) - seconds(1));
  t_.AnswerRound({});
  t_.Pass(seconds(1));
  t_.AnswerRound({});
  t_.Pass(Matchmaker::kRoundPatience);
  const auto commands = t_.Take<TripCommand>();
  ASSERT_THAT(commands, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<trip::v1::GiveUpTripRequest>(commands[0].request));
}

TEST_F(MarketTest, TripWaitsAgainAfterARefusedGiveUp) {
  t_.Request("t");
  t_.Pass(minutes(5));
  t_.AnswerRound({});
  t_.FailCommand(absl::FailedPreconditionError("not now"));
  EXPECT_THAT(Asked(), IsEmpty());
  t_.Pass(seconds(1));
  EXPECT_THAT(Asked(), ElementsAre(TripId("t")));
  t_.Pass(minutes(5));
  EXPECT_THAT(t_.Take<TripCommand>(), SizeIs(1));
}

TEST_F(MarketTest, ARiderWhoCancelsIsTakenOutOfThePlan) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.DeliverLog();
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_RIDER_CANCELLED);
  EXPECT_EQ(plans[0].stops_size(), 0);
  EXPECT_EQ(plans[0].route_id(), 0u);
  EXPECT_THAT(States(), ElementsAre("IDLE:4"));
}

TEST_F(MarketTest, AChangedDestinationBringsANewRoute) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  const LatLng elsewhere{407'700'000, -739'600'000};
  ASSERT_TRUE(t_.trips.ChangeDestination("t", elsewhere).ok());
  t_.DeliverLog();
  EXPECT_THAT(t_.Plans("d"), IsEmpty());
  t_.AnswerRoute();
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_DESTINATION_CHANGED);
  EXPECT_EQ(FromProto(plans[0].stops(1).place()), elsewhere);
  EXPECT_TRUE(plans[0].has_route());
  EXPECT_EQ(plans[0].route_id(), plans[0].version());
}

TEST_F(MarketTest, AChangeDuringARouteRequestSupersedesIt) {
  t_.Connect("d");
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  t_.CarryOut();
  const auto first = t_.Take<FindRoute>();
  ASSERT_THAT(first, SizeIs(1));
  ASSERT_TRUE(t_.trips.ChangeDestination("t", {407'700'000, -739'600'000}).ok());
  t_.DeliverLog();
  t_.Handle(RouteFound{DriverId("d"), first[0].request, MakeWay(first[0].from, first[0].stops)});
  EXPECT_THAT(t_.Plans("d"), IsEmpty());
  t_.AnswerRoute();
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_RIDER_ADDED) << "of whom the driver hasn't heard";
  EXPECT_EQ(plans[0].stops(1).place().lat_e7(), 407'700'000);
}

TEST_F(MarketTest, APlanWithoutARouteIsPushedAndGetsOneWhenTheCarMoves) {
  for (const bool answered : {true, false}) {
    MarketTester t;
    t.Connect("d");
    t.Answer("d", t.OfferTrip("t", "d"), true);
    t.CarryOut();
    if (answered) {
      const auto request = t.Take<FindRoute>().at(0);
      t.Handle(RouteFound{request.driver, request.request, absl::NotFoundError("no way")});
    } else {
      t.Take<FindRoute>();
      t.Pass(PlanPublisher::kRoutePatience);
    }
    auto plans = t.Plans("d");
    ASSERT_THAT(plans, SizeIs(1));
    EXPECT_EQ(plans[0].stops_size(), 2);
    EXPECT_EQ(plans[0].route_id(), 0u);
    EXPECT_FALSE(plans[0].has_route());
    EXPECT_GT(plans[0].stops(0).eta_s(), 0u) << "guessed";
    t.Move("d");
    t.AnswerRoute();
    plans = t.Plans("d");
    ASSERT_THAT(plans, SizeIs(1));
    EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_REROUTED);
    EXPECT_TRUE(plans[0].has_route());
  }
}

TEST_F(MarketTest, ACarThatLeavesItsRouteGetsAnotherAtTheSecondPosition) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  const auto beside = [](double fraction, double beside_m) {
    const LatLng on_route = Interpolate(MarketTester::kCar, MarketTester::kPickup, fraction);
    return OffsetBy(on_route, -beside_m / 2, beside_m / 2);
  };
  t_.Move("d", beside(0.2, 20));
  t_.Move("d", beside(0.4, 100));
  EXPECT_THAT(t_.Take<FindRoute>(), IsEmpty()) << "that may be noise";
  t_.Move("d", beside(0.6, 200));
  t_.Move("d", beside(0.7, 300));
  const auto requests = t_.Take<FindRoute>();
  ASSERT_THAT(requests, SizeIs(1)) << "one is under way";
  EXPECT_EQ(requests[0].from, beside(0.6, 200));
  EXPECT_EQ(requests[0].track,
            (std::vector<LatLng>{beside(0.2, 20), beside(0.4, 100), beside(0.6, 200)}));
  t_.Handle(RouteFound{requests[0].driver, requests[0].request,
                       MakeWay(requests[0].from, requests[0].stops)});
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_REROUTED);
  EXPECT_TRUE(plans[0].has_route());
  t_.Move("d", beside(0.7, 280));
  EXPECT_THAT(t_.Take<FindRoute>(), IsEmpty());
}

TEST_F(MarketTest, CarFarFromItsExpectedPlaceIsReroutedAtOnce) {
  for (const LatLng& place : {OffsetBy(MarketTester::kCar, 20'000, 20'000),
                              MarketTester::kDropoff}) {  // on the route, but not by driving it
    MarketTester t;
    t.Connect("d");
    t.AssignTrip("t", "d");
    t.Move("d", place);
    t.Move("d", place);
    const auto requests = t.Take<FindRoute>();
    ASSERT_THAT(requests, SizeIs(1));
    EXPECT_EQ(requests[0].from, place);
    t.Handle(RouteFound{requests[0].driver, requests[0].request,
                        MakeWay(requests[0].from, requests[0].stops)});
    const auto plans = t.Plans("d");
    ASSERT_THAT(plans, SizeIs(1));
    EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_REROUTED);
    EXPECT_TRUE(plans[0].has_route());
    t.Move("d", place);
    EXPECT_THAT(t.Take<FindRoute>(), IsEmpty());
  }
}

TEST_F(MarketTest, ARouteThatStartsAwayFromTheCarIsReplaced) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Move("d", OffsetBy(MarketTester::kCar, 20'000, 20'000));
  const auto wrong = t_.Take<FindRoute>();
  ASSERT_THAT(wrong, SizeIs(1));
  t_.Move("d", MarketTester::kPickup);  // while the route is looked for
  t_.Handle(RouteFound{wrong[0].driver, wrong[0].request, MakeWay(wrong[0].from, wrong[0].stops)});
  EXPECT_THAT(t_.Plans("d"), IsEmpty());
  const auto requests = t_.Take<FindRoute>();
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].from, MarketTester::kPickup);
}

TEST_F(MarketTest, ReportsTheApproachingCarToTheRider) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  const LatLng half = Interpolate(MarketTester::kCar, MarketTester::kPickup, 0.5);
  t_.Move("d", half);
  const auto reports = t_.Take<ReportProgress>();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].progress.trip_id(), "t");
  EXPECT_EQ(FromProto(reports[0].progress.progress().driver_position()), half);
  EXPECT_NEAR(reports[0].progress.progress().eta_s(), 50, 1);
  EXPECT_EQ(reports[0].progress.progress().driver_status(), trip::v1::DRIVER_STATUS_CONNECTED);
}

TEST_F(MarketTest, CorrectsAnEtaOnlyWhenItIsFarOff) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  const auto move = [&](Duration passed, double fraction) {
    t_.Pass(passed);
    t_.Move("d", Interpolate(MarketTester::kCar, MarketTester::kPickup, fraction));
    const auto reports = t_.Take<ReportProgress>();
    EXPECT_THAT(reports, SizeIs(1));
    return reports.at(0).progress.progress();
  };
  const Time first = FromProto(move(seconds(0), 0).arrives_at());
  // 100 s of the route's time. It is slower than that, but not by half a minute.
  EXPECT_EQ(FromProto(move(seconds(20), 0.1).arrives_at()), first);
  const trip::v1::Progress later = move(seconds(20), 0.2);
  EXPECT_EQ(FromProto(later.arrives_at()), first);
  EXPECT_EQ(later.eta_s(), 60u);
  EXPECT_EQ(t_.market().eta_corrections(), 0U);
  const trip::v1::Progress corrected = move(seconds(20), 0.3);
  EXPECT_NEAR(std::chrono::duration<double>(FromProto(corrected.arrives_at()) - first).count(), 30,
              1);
  EXPECT_NEAR(corrected.eta_s(), 70, 1);
  EXPECT_EQ(t_.market().eta_corrections(), 1U);
}

TEST_F(MarketTest, ReportsDrivingTimesOfCars) {
  t_.Connect("d");
  t_.Answer("d", t_.OfferTrip("t", "d"), true);
  t_.CarryOut();
  t_.DeliverLog();
  const auto question = t_.Take<FindRoute>().at(0);
  const auto at = [&](double part) { return Interpolate(question.from, question.stops[0], part); };
  // Twenty pieces of 10 s to the pick-up; it is driven half as fast.
  std::vector<LatLng> points;
  for (int i = 1; i < 20; ++i) points.push_back(at(i / 20.0));
  points.insert(points.end(), question.stops.begin(), question.stops.end());
  RouteFound::Way way = MakeWay(question.from, points);
  for (auto& ms : *way.route.mutable_piece_ms()) ms = 10'000;
  way.to_stop = {seconds(200), seconds(210)};
  t_.Handle(RouteFound{question.driver, question.request, way});
  for (int i = 0; i < 90; ++i, t_.Pass(seconds(4))) t_.Move("d", at(i / 100.0));
  int pieces = 0;
  for (const StreetsDriven& drive : t_.Take<StreetsDriven>()) {
    for (std::size_t i = 1; i < drive.points.size(); ++i, ++pieces) {
      const Duration took = drive.points[i].at - drive.points[i - 1].at;
      EXPECT_NEAR(std::chrono::duration<double>(took).count(), 20, 0.5);
    }
  }
  EXPECT_GE(pieces, 8);
}

TEST_F(MarketTest, MissingCarsCauseSurgeAndWaitingPlaces) {
  t_.Connect("near");
  t_.Connect("busy");
  t_.AssignTrip("t", "busy");
  const auto survey = [&] {
    t_.Pass(seconds(10));
    t_.Handle(FleetSurveyed{{{DriverId("near"), OffsetBy(MarketTester::kPickup, 2'000, 0)},
                             {DriverId("busy"), OffsetBy(MarketTester::kPickup, 1'800, 0)},
                             {DriverId("unknown"), OffsetBy(MarketTester::kPickup, 1'700, 0)}}});
  };
  survey();
  EXPECT_THAT(t_.Take<SetSurge>(), IsEmpty());
  EXPECT_THAT(t_.WaitingPlaces("near"), IsEmpty());
  for (int i = 0; i < 30; ++i) t_.Request("r" + std::to_string(i));
  t_.DeliverLog();
  for (int i = 0; i < 12; ++i) survey();
  const auto places = t_.WaitingPlaces("near");
  ASSERT_THAT(places, SizeIs(1)) << "once";
  EXPECT_EQ(FromProto(places[0].place()), MarketTester::kPickup);
  EXPECT_THAT(t_.WaitingPlaces("busy"), IsEmpty());
  const auto surges = t_.Take<SetSurge>();
  ASSERT_FALSE(surges.empty());
  const auto here = surges.back().cells.find(DemandMap::CellOf(MarketTester::kPickup));
  ASSERT_NE(here, surges.back().cells.end());
  EXPECT_GE(here->second, 150U);
  for (int i = 0; i < 8; ++i) survey();
  EXPECT_THAT(t_.Take<SetSurge>(), ::testing::Not(IsEmpty())) << "sent again while it lasts";
}

TEST_F(MarketTest, ADriverWhoGivesUpATripNeverGetsItAgain) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.GiveUp("d", "t");
  t_.CarryOut();
  t_.DeliverLog();
  auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_REASSIGNED);
  EXPECT_EQ(plans[0].stops_size(), 0);
  t_.AnswerRound({"d"});
  EXPECT_THAT(t_.Offers("d"), IsEmpty());

  t_.GiveUp("d", "t");  // The driver hasn't seen the answer.
  plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_REASSIGNED);
  EXPECT_THAT(t_.Rejections("d"), IsEmpty());
}

TEST_F(MarketTest, NoShowEndsTheTripAndNoOtherDriverIsSent) {
  for (const auto cause : {v1::GIVE_UP_CAUSE_UNSPECIFIED, v1::GIVE_UP_CAUSE_NO_SHOW}) {
    MarketTester t;
    t.Connect("d");
    t.Connect("d-2");
    t.AssignTrip("t", "d");
    t.Update("d", "t", v1::STOP_ACTION_ARRIVED);
    t.CarryOut();
    t.DeliverLog();
    t.TakeAll();
    t.GiveUp("d", "t", cause, "the rider never came");
    t.CarryOut();
    t.DeliverLog();
    const trip::v1::Trip& trip = t.trips.Get("t");
    EXPECT_EQ(trip.state(), trip::v1::TRIP_STATE_CANCELLED);
    EXPECT_EQ(trip.cancellation().reason(), trip::v1::CANCEL_REASON_NO_SHOW);
    EXPECT_EQ(trip.cancellation().comment(), "the rider never came");
    t.Pass(minutes(1));
    EXPECT_THAT(t.Take<FindCandidates>(), IsEmpty());
    EXPECT_EQ(t.Plans("d").back().stops_size(), 0);
    t.GiveUp("d", "t", cause);  // The driver hasn't seen the answer.
    EXPECT_THAT(t.Plans("d"), SizeIs(1));
    EXPECT_THAT(t.Rejections("d"), IsEmpty());
  }
}

TEST_F(MarketTest, AnArrivalUnderWayCountsForANoShow) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.GiveUp("d", "t");
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_EQ(t_.trips.Get("t").state(), trip::v1::TRIP_STATE_CANCELLED);
}

TEST_F(MarketTest, ADriverWhoCannotDriveAtThePickUpIsReplaced) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.CarryOut();
  t_.GiveUp("d", "t", v1::GIVE_UP_CAUSE_CANT_DRIVE, "flat tyre");
  t_.CarryOut();
  const trip::v1::Trip& trip = t_.trips.Get("t");
  EXPECT_EQ(trip.state(), trip::v1::TRIP_STATE_REQUESTED);
  EXPECT_EQ(trip.last_release().reason(), trip::v1::RELEASE_REASON_DRIVER_GAVE_UP);
  EXPECT_EQ(trip.last_release().note(), "flat tyre");
}

TEST_F(MarketTest, ForbiddenRequestsAreRejectedWithTheReason) {
  struct Case {
    const char* name;
    std::function<void(MarketTester&)> act;
    absl::StatusCode code;
  };
  using absl::StatusCode;
  const Case cases[] = {
      {"an unknown trip", [](auto& t) { t.Update("d", "t-9", v1::STOP_ACTION_ARRIVED); },
       StatusCode::kNotFound},
      {"no action", [](auto& t) { t.Update("d", "t", v1::STOP_ACTION_UNSPECIFIED); },
       StatusCode::kInvalidArgument},
      {"another's trip", [](auto& t) { t.Update("d", "other", v1::STOP_ACTION_ARRIVED); },
       StatusCode::kPermissionDenied},
      {"giving up another's trip", [](auto& t) { t.GiveUp("d", "other"); },
       StatusCode::kPermissionDenied},
      {"a step too far",
       [](auto& t) {
         t.Update("d", "t", v1::STOP_ACTION_PICKED_UP);
         t.CarryOut();
       },
       StatusCode::kFailedPrecondition},
      {"a trip that was cancelled",
       [](auto& t) {
         ASSERT_TRUE(t.trips.Cancel("t").ok());
         t.DeliverLog();
         t.Update("d", "t", v1::STOP_ACTION_ARRIVED);
       },
       StatusCode::kFailedPrecondition},
      {"giving up with the rider aboard",
       [](auto& t) {
         t.Update("d", "t", v1::STOP_ACTION_ARRIVED);
         t.CarryOut();
         t.Update("d", "t", v1::STOP_ACTION_PICKED_UP);
         t.CarryOut();
         t.GiveUp("d", "t");
       },
       StatusCode::kFailedPrecondition},
      {"a no-show before the arrival",
       [](auto& t) {
         t.GiveUp("d", "t", v1::GIVE_UP_CAUSE_NO_SHOW);
         t.CarryOut();
       },
       StatusCode::kFailedPrecondition},
      {"a refused giving up",
       [](auto& t) {
         t.GiveUp("d", "t");
         t.FailCommand(absl::PermissionDeniedError("no"));
       },
       StatusCode::kPermissionDenied},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    MarketTester t;
    t.Connect("d");
    t.Connect("d-2");
    t.AssignTrip("t", "d");
    t.AssignTrip("other", "d-2");
    c.act(t);
    const auto rejections = t.Rejections("d");
    ASSERT_THAT(rejections, SizeIs(1));
    EXPECT_EQ(rejections[0].code(), static_cast<v1::RejectionCode>(c.code));
    EXPECT_NE(rejections[0].command_case(), v1::Rejected::COMMAND_NOT_SET);
    EXPECT_FALSE(rejections[0].message().empty());
    EXPECT_THAT(t.Rejections("d-2"), IsEmpty());
  }
}

TEST_F(MarketTest, ARepeatedStepIsAnsweredByThePlanAgain) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  EXPECT_EQ(t_.CarryOut(), 1u) << "the second is the same command";
  ASSERT_THAT(t_.Plans("d"), SizeIs(1));
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  EXPECT_EQ(t_.CarryOut(), 0u);
  EXPECT_THAT(t_.Plans("d"), SizeIs(1));

  t_.Update("d", "t", v1::STOP_ACTION_PICKED_UP);
  t_.CarryOut();
  t_.Update("d", "t", v1::STOP_ACTION_DROPPED_OFF);
  t_.CarryOut();
  t_.TakeAll();
  t_.Update("d", "t", v1::STOP_ACTION_DROPPED_OFF);
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].stops_size(), 0);
  ASSERT_THAT(plans[0].answers(), SizeIs(1)) << "a repeat is answered as well";
  EXPECT_EQ(plans[0].answers(0).stop_update().action(), v1::STOP_ACTION_DROPPED_OFF);
  EXPECT_THAT(t_.Rejections("d"), IsEmpty());
}

TEST_F(MarketTest, PlanNamesTheCommandsThatItAnswersAndItsDriver) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.CarryOut();
  auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].driver_id(), "d");
  ASSERT_THAT(plans[0].answers(), SizeIs(1));
  EXPECT_EQ(plans[0].answers(0).stop_update().trip_id(), "t");
  EXPECT_EQ(plans[0].answers(0).stop_update().action(), v1::STOP_ACTION_ARRIVED);

  ASSERT_TRUE(t_.trips.Cancel("t").ok());
  t_.DeliverLog();
  plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_THAT(plans[0].answers(), IsEmpty()) << "the rider cancelled";

  t_.AssignTrip("t-2", "d");
  t_.GiveUp("d", "t-2");
  t_.CarryOut();
  plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  ASSERT_THAT(plans[0].answers(), SizeIs(1));
  EXPECT_EQ(plans[0].answers(0).given_up_trip_id(), "t-2");
}

TEST_F(MarketTest, CommandsWhosePlanWaitsForItsRouteAreAnsweredWithIt) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  ASSERT_TRUE(t_.trips.ChangeDestination("t", OffsetBy(MarketTester::kCar, 500, 500)).ok());
  t_.DeliverLog();
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.CarryOut();
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  EXPECT_THAT(t_.Plans("d"), IsEmpty());
  t_.AnswerRoute();
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_THAT(plans[0].answers(), SizeIs(2)) << "the step and its repeat";
}

TEST_F(MarketTest, PlanThatWaitsForItsRouteHoldsABoundedNumberOfAnswers) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.CarryOut();
  EXPECT_THAT(t_.Plans("d"), SizeIs(1));
  ASSERT_TRUE(t_.trips.ChangeDestination("t", OffsetBy(MarketTester::kCar, 500, 500)).ok());
  t_.DeliverLog();
  for (std::size_t i = 0; i < 2 * PlanPublisher::kMaxAnswers; ++i) {
    t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  }
  t_.AnswerRoute();
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_THAT(plans[0].answers(), SizeIs(PlanPublisher::kMaxAnswers));
}

TEST_F(MarketTest, SendsStepsInQuickSuccessionToTripInOrder) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.Update("d", "t", v1::STOP_ACTION_PICKED_UP);
  t_.Update("d", "t", v1::STOP_ACTION_DROPPED_OFF);
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_EQ(t_.trips.Get("t").state(), trip::v1::TRIP_STATE_COMPLETED);
  EXPECT_THAT(t_.Rejections("d"), IsEmpty());
}

TEST_F(MarketTest, ACommandWhoseOutcomeIsOpenIsSentAgainUntilItIsKnown) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  for (int i = 0; i < 5; ++i) {
    t_.FailCommand(absl::UnavailableError("trip is being restarted"));
    EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
    t_.Pass(MarketConfig().command_retry.longest);
  }
  EXPECT_EQ(t_.CarryOut(), 1u);
  EXPECT_THAT(t_.Plans("d"), SizeIs(1));
  EXPECT_THAT(t_.Rejections("d"), IsEmpty());
}

TEST_F(MarketTest, ATripThatItsOwnerDoesNotKnowIsForgotten) {
  t_.Connect("d");
  t_.AssignTrip("t", "d");
  t_.Update("d", "t", v1::STOP_ACTION_ARRIVED);
  t_.FailCommand(absl::NotFoundError("trip t is not known"));
  EXPECT_THAT(t_.Rejections("d"), SizeIs(1));
  const auto plans = t_.Plans("d");
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].stops_size(), 0);
  EXPECT_THAT(States(), ElementsAre("IDLE:4"));
}

TEST_F(MarketTest, AnswersToUnknownForeignAndEndedOffers) {
  t_.Connect("d");
  t_.Connect("d-2");
  v1::Offer unknown;
  unknown.set_offer_id("o-999");
  t_.Answer("d", unknown, true);
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_WITHDRAWN));

  const v1::Offer offer = t_.OfferTrip("t", "d");
  t_.Answer("d-2", offer, true);
  const auto rejections = t_.Rejections("d-2");
  ASSERT_THAT(rejections, SizeIs(1));
  EXPECT_EQ(rejections[0].code(), v1::REJECTION_CODE_PERMISSION_DENIED);
  EXPECT_EQ(rejections[0].offer_answer().offer_id(), offer.offer_id());
  t_.Answer("d", unknown, false);
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_WITHDRAWN));

  t_.Answer("d", offer, true);
  t_.Answer("d", offer, true);
  t_.Answer("d", offer, false);
  EXPECT_EQ(t_.CarryOut(), 1u) << "accepted is accepted";
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED));
  t_.Answer("d", offer, true);
  EXPECT_THAT(t_.Outcomes("d"), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED)) << "said again";
  t_.Answer("d-2", offer, true);
  EXPECT_THAT(t_.Outcomes("d-2"), ElementsAre(v1::OFFER_OUTCOME_WITHDRAWN)) << "it isn't its own";
}

TEST_F(MarketTest, IgnoresEventsOfUnknownDrivers) {
  const DriverId nobody("nobody");
  t_.Handle(DriverDisconnected{nobody, 1});
  t_.Handle(DriverSuspect{nobody});
  t_.Handle(DriverHeard{nobody});
  t_.Handle(SessionDropped{nobody});
  t_.Move("nobody");
  t_.Handle(RouteFound{nobody, 1, absl::NotFoundError("")});
  t_.Handle(CommandDone{77, absl::NotFoundError("")});
  t_.Handle(CandidatesFound{77, absl::UnavailableError("")});
  t_.Update("nobody", "t", v1::STOP_ACTION_ARRIVED);
  t_.GiveUp("nobody", "t");
  t_.Answer("nobody", {}, true);
  trip::v1::TripEvent foreign;
  foreign.mutable_trip()->set_trip_id("t");
  foreign.mutable_trip()->set_market("another");
  foreign.mutable_trip()->set_version(1);
  foreign.mutable_trip()->set_state(trip::v1::TRIP_STATE_REQUESTED);
  t_.Handle(TripLogged{foreign});
  EXPECT_THAT(t_.Take<Push>(), IsEmpty());
  EXPECT_THAT(t_.Take<TripCommand>(), IsEmpty());
  EXPECT_THAT(t_.Take<FindCandidates>(), IsEmpty());
  EXPECT_EQ(t_.market().NextWake(), std::nullopt);
}

}  // namespace
}  // namespace ridestream::dispatch
