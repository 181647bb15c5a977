// Riders who share a car: how they get into a plan under way, move to a better one, and what they
// were promised.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/market/testing/market_tester.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

std::vector<std::string> StopsOf(const v1::Plan& plan) {
  std::vector<std::string> stops;
  for (const v1::Stop& stop : plan.stops()) {
    stops.push_back((stop.kind() == v1::STOP_KIND_PICK_UP ? "+" : "-") + stop.trip_id());
  }
  return stops;
}

class MarketSharingTest : public ::testing::Test {
 protected:
  /// The driver has the shared trip, its route, and no open decision.
  void AssignShared(const std::string& trip, const std::string& driver, std::uint32_t riders = 1) {
    market_.RequestShared(trip, riders);
    market_.AnswerRound({driver});
    market_.Answer(driver, market_.Offers(driver).at(0), true);
    Settle();
  }
  /// Two parties share the driver's car that have no room in it at the same time: its plan takes
  /// t-2 after t-1.
  void AssignOneAfterTheOther(const std::string& driver) {
    AssignShared("t-1", driver, 3);
    market_.TakeAll();
    market_.RequestShared("t-2", 3);
    const FindCandidates round = Round();
    AnswerInsertions(round, {Into(round.cars.at(0), 2, 2)});
    Settle();
  }
  /// Carries out the commands, delivers the log, and answers route requests.
  void Settle() {
    while (market_.CarryOut() > 0) {
    }
    market_.DeliverLog();
    for (const FindRoute& request : market_.Take<FindRoute>()) {
      market_.Handle(
          RouteFound{request.driver, request.request, MakeWay(request.from, request.stops)});
    }
  }
  /// Trip tells that this was done now.
  void LogTransition(const std::string& id, trip::v1::TripState state) {
    TripLogged logged{{}};
    trip::v1::Trip& trip = *logged.event.mutable_trip();
    trip = market_.trips.Get(id);
    trip.set_version(trip.version() + static_cast<std::uint64_t>(state));
    trip.set_state(state);
    if (state == trip::v1::TRIP_STATE_ARRIVED) *trip.mutable_arrived_at() = ToProto(market_.now());
    if (state == trip::v1::TRIP_STATE_COMPLETED) *trip.mutable_ended_at() = ToProto(market_.now());
    market_.Handle(logged);
  }
  /// Answers the newest round: no free drivers, and for each trip and move these insertions.
  void AnswerInsertions(const FindCandidates& round, const std::vector<InsertionFound>& found,
                        Duration spared = Duration::zero()) {
    CandidatesFound answer{round.round, std::vector<CandidatesFound::ForTrip>()};
    for (const auto& query : round.queries) answer.trips->push_back({query.trip, {}, found});
    for (const auto& move : round.moves) answer.moves.push_back({move.trip, spared, found});
    market_.Handle(answer);
  }
  InsertionFound Into(const SharedCar& car, std::size_t pickup_after, std::size_t dropoff_after) {
    return {car.driver,
            car.plan_revision,
            {pickup_after, dropoff_after, seconds(60), market_.now() + seconds(100),
             market_.now() + seconds(300), seconds(60)}};
  }
  FindCandidates Round() { return market_.Take<FindCandidates>().back(); }

  MarketTester market_;
};

TEST_F(MarketSharingTest, ARiderIsInsertedIntoAPlanUnderWayWithoutAnOffer) {
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.TakeAll();
  market_.RequestShared("t-2");
  const FindCandidates round = Round();
  ASSERT_EQ(round.cars.size(), 1u);
  EXPECT_EQ(round.cars[0].driver, DriverId("d"));
  EXPECT_THAT(round.cars[0].trips, ElementsAre(TripId("t-1"), TripId("t-1")));
  EXPECT_EQ(round.cars[0].car.stops[1].arrival - market_.now(), seconds(200 + 30))
      << "the ride, and getting in";
  AnswerInsertions(round, {Into(round.cars[0], 1, 2)});
  EXPECT_THAT(market_.Offers("d"), IsEmpty());
  Settle();
  const auto plans = market_.Plans("d");
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_EQ(plans[0].cause(), v1::PLAN_CAUSE_RIDER_ADDED);
  EXPECT_THAT(StopsOf(plans[0]), ElementsAre("+t-1", "+t-2", "-t-1", "-t-2"));
  EXPECT_TRUE(plans[0].has_route());
  EXPECT_THAT(market_.Outcomes("d"), IsEmpty()) << "there was no offer that could end";
  EXPECT_EQ(market_.trips.Get("t-2").state(), trip::v1::TRIP_STATE_ASSIGNED);
  // The riders hear of the new times.
  std::vector<std::string> reported;
  for (const ReportProgress& report : market_.Take<ReportProgress>()) {
    reported.push_back(report.progress.trip_id());
  }
  EXPECT_THAT(reported, ::testing::IsSupersetOf({"t-1", "t-2"}));
}

TEST_F(MarketSharingTest, AnInsertionIntoAnOlderPlanIsNotMade) {
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.TakeAll();
  market_.RequestShared("t-2");
  const FindCandidates round = Round();
  market_.Update("d", "t-1", v1::STOP_ACTION_ARRIVED);
  Settle();
  market_.TakeAll();
  AnswerInsertions(round, {Into(round.cars.at(0), 0, 2)});
  EXPECT_THAT(market_.Take<TripCommand>(), IsEmpty());
  market_.Pass(seconds(1));
  EXPECT_EQ(Round().queries.at(0).trip, TripId("t-2")) << "it waits still";
}

TEST_F(MarketSharingTest, OneCarGetsOneRiderAtATime) {
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.TakeAll();
  market_.RequestShared("t-2");
  const FindCandidates first = Round();
  AnswerInsertions(first, {Into(first.cars.at(0), 0, 2)});
  market_.RequestShared("t-3");
  const FindCandidates second = Round();
  EXPECT_THAT(second.cars, IsEmpty()) << "t-2 is being put into its plan";
  Settle();
  AnswerInsertions(second, {});
  market_.TakeAll();
  market_.Pass(seconds(1));
  EXPECT_EQ(Round().cars.size(), 1u);
}

TEST_F(MarketSharingTest, ARefusedInsertionLetsTheRiderWaitForAnother) {
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.TakeAll();
  market_.RequestShared("t-2");
  const FindCandidates round = Round();
  AnswerInsertions(round, {Into(round.cars.at(0), 0, 2)});
  market_.FailCommand(absl::AbortedError("taken"));
  market_.Pass(seconds(2));
  const FindCandidates next = Round();
  EXPECT_EQ(next.queries.at(0).trip, TripId("t-2"));
  ASSERT_EQ(next.cars.size(), 1u) << "the car may have others";
  AnswerInsertions(next, {Into(next.cars[0], 0, 2)});
  EXPECT_THAT(market_.Take<TripCommand>(), IsEmpty()) << "but not this one again";
}

TEST_F(MarketSharingTest, InsertsOnlySharedTripsAndOnlyForConsentingDrivers) {
  market_.Connect("alone");
  market_.AssignTrip("t-1", "alone");
  DriverConnected unasked{DriverId("unasked"), 99, false, {}};
  unasked.hello.set_seats(4);
  market_.Handle(unasked);
  AssignShared("t-2", "unasked");
  market_.TakeAll();
  market_.RequestShared("t-3");
  EXPECT_THAT(Round().cars, IsEmpty());
}

TEST_F(MarketSharingTest, ARiderMovesToADriverWhoServesItBetter) {
  market_.Connect("a");
  AssignShared("t-1", "a");
  market_.Connect("b");
  AssignShared("t-2", "b");
  market_.TakeAll();
  market_.RequestShared("t-3");
  const FindCandidates round = Round();
  ASSERT_EQ(round.cars.size(), 2u);
  const auto move = std::find_if(round.moves.begin(), round.moves.end(),
                                 [](const auto& asked) { return asked.trip == TripId("t-1"); });
  ASSERT_NE(move, round.moves.end());
  EXPECT_EQ(move->from, DriverId("a"));
  CandidatesFound answer{round.round, std::vector<CandidatesFound::ForTrip>()};
  answer.trips->push_back({TripId("t-3"), {}});
  answer.moves.push_back({TripId("t-1"), seconds(200), {Into(round.cars[1], 1, 1)}});
  market_.Handle(answer);
  Settle();
  const auto of_a = market_.Plans("a");
  ASSERT_EQ(of_a.size(), 1u);
  EXPECT_EQ(of_a[0].cause(), v1::PLAN_CAUSE_REASSIGNED);
  EXPECT_THAT(StopsOf(of_a[0]), IsEmpty());
  const auto of_b = market_.Plans("b");
  ASSERT_EQ(of_b.size(), 1u);
  EXPECT_THAT(StopsOf(of_b[0]), ElementsAre("+t-2", "+t-1", "-t-1", "-t-2"));
  EXPECT_EQ(market_.trips.Get("t-1").driver().driver_id(), "b");
}

TEST_F(MarketSharingTest, DoesNotMakeAMoveThatGainsLittle) {
  market_.Connect("a");
  AssignShared("t-1", "a");
  market_.Connect("b");
  AssignShared("t-2", "b");
  market_.TakeAll();
  market_.RequestShared("t-3");
  const FindCandidates round = Round();
  CandidatesFound answer{round.round, std::vector<CandidatesFound::ForTrip>()};
  answer.moves.push_back({TripId("t-1"), seconds(89), {Into(round.cars.at(1), 1, 1)}});
  market_.Handle(answer);
  EXPECT_THAT(market_.Take<TripCommand>(), IsEmpty());
}

TEST_F(MarketSharingTest, RiderMovesToFreeCapacityForAWaitingRider) {
  for (const bool cancelled : {false, true}) {
    const std::string mover = cancelled ? "t-4" : "t-1", other = cancelled ? "t-5" : "t-2",
                      waiting = cancelled ? "t-6" : "t-3", a = cancelled ? "c" : "a",
                      b = cancelled ? "d" : "b";
    market_.Connect(a);
    AssignShared(mover, a);
    market_.Connect(b);
    AssignShared(other, b);
    market_.TakeAll();
    market_.RequestShared(waiting);
    const FindCandidates round = Round();
    const auto car = [&](const std::string& driver) {
      return *std::find_if(round.cars.begin(), round.cars.end(), [&](const SharedCar& shared) {
        return shared.driver == DriverId(driver);
      });
    };
    CandidatesFound answer{round.round, std::vector<CandidatesFound::ForTrip>()};
    answer.trips->push_back({TripId(waiting), {}});
    answer.moves.push_back({TripId(mover),
                            seconds(500),
                            {Into(car(b), 1, 1)},
                            CandidatesFound::FreedCapacity{TripId(waiting), Into(car(a), 0, 0)}});
    market_.Handle(answer);
    if (cancelled) {
      ASSERT_TRUE(market_.trips.Cancel(waiting).ok());
      market_.DeliverLog();
    }
    Settle();
    EXPECT_EQ(market_.trips.Get(mover).driver().driver_id(), b);
    EXPECT_THAT(StopsOf(market_.Plans(a).back()),
                ElementsAreArray(cancelled ? std::vector<std::string>()
                                           : std::vector<std::string>{"+t-3", "-t-3"}));
    EXPECT_THAT(market_.Offers(a), IsEmpty());
    market_.TakeAll();
  }
}

TEST_F(MarketSharingTest, SearchesForMovesWhileNoTripWaits) {
  market_.keeps_searches = true;
  market_.Connect("a");
  AssignShared("t-1", "a");
  market_.TakeAll();
  market_.Pass(seconds(1));
  const FindCandidates round = Round();
  EXPECT_THAT(round.queries, IsEmpty());
  ASSERT_EQ(round.moves.size(), 1u);
  EXPECT_EQ(round.moves[0].trip, TripId("t-1"));
  AnswerInsertions(round, {});
  LogTransition("t-1", trip::v1::TRIP_STATE_ARRIVED);
  market_.TakeAll();
  market_.Pass(seconds(5));
  EXPECT_THAT(market_.Take<FindCandidates>(), IsEmpty()) << "nobody can be moved any more";
}

TEST_F(MarketSharingTest, BrokenPromiseIsNotifiedAtOnceAndCountedOnce) {
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.Move("d");
  const auto broken = [this] {
    const auto reports = market_.Take<ReportProgress>();
    return reports.back().progress.progress().promise_broken();
  };
  EXPECT_FALSE(broken());
  market_.Pass(minutes(7));
  market_.Move("d");  // It hasn't moved, and the pick-up is 100 s away.
  EXPECT_TRUE(broken());
  market_.Move("d");
  EXPECT_TRUE(broken());
  EXPECT_EQ(market_.market().promises_broken(), 1u);
}

TEST_F(MarketSharingTest, ADriverWhoComesLateBetweenTwoPositionsHasBrokenThePromise) {
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.Pass(minutes(9));
  market_.TakeAll();
  EXPECT_EQ(market_.market().promises_broken(), 1u) << "when the time was over";
  LogTransition("t-1", trip::v1::TRIP_STATE_ARRIVED);
  LogTransition("t-1", trip::v1::TRIP_STATE_ABOARD);
  EXPECT_EQ(market_.market().promises_broken(), 1u) << "once a trip";
}

TEST_F(MarketSharingTest, ALateDropOffBreaksThePromise) {
  market_.Connect("d");
  std::uint64_t broken = 0;
  for (const auto& [trip, late] : {std::pair("t-1", false), std::pair("t-2", true)}) {
    AssignShared(trip, "d");
    LogTransition(trip, trip::v1::TRIP_STATE_ARRIVED);
    LogTransition(trip, trip::v1::TRIP_STATE_ABOARD);
    market_.Pass(minutes(late ? 31 : 29));
    if (late) ++broken;
    LogTransition(trip, trip::v1::TRIP_STATE_COMPLETED);
    EXPECT_EQ(market_.market().promises_broken(), broken);
  }
}

TEST_F(MarketSharingTest, NewRouteFollowsTheOldOneUntilTheDriverGetsIt) {
  const auto to_pickup = [](double part) {
    return Interpolate(MarketTester::kCar, MarketTester::kPickup, part);
  };
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.Move("d", to_pickup(0.4));  // 60 s from the pick-up.
  market_.Pass(seconds(4));
  market_.TakeAll();
  market_.RequestShared("t-2");
  const FindCandidates round = Round();
  const SharedCar& car = round.cars.at(0);
  // The car is 4 s further on than it was seen, and drives on for 3 s until another plan
  // arrives.
  EXPECT_LT(FastDistanceM(car.position, to_pickup(0.47)), 1);
  EXPECT_EQ(car.car.stops[0].arrival - car.car.leaves, seconds(53));
  EXPECT_EQ(car.car.stops[0].arrival - market_.now(), seconds(60)) << "should it have stood still";

  AnswerInsertions(round, {Into(car, 1, 2)});
  while (market_.CarryOut() > 0) {
  }
  const FindRoute question = market_.Take<FindRoute>().at(0);
  EXPECT_LT(FastDistanceM(question.from, to_pickup(0.46)), 1);
  RouteFound::Way rest = MakeWay(question.from, question.stops);
  rest.route.set_piece_ms(0, 54'000);
  for (Duration& to_stop : rest.to_stop) to_stop -= seconds(46);
  market_.Handle(RouteFound{question.driver, question.request, rest});
  const v1::Plan plan = market_.Plans("d").at(0);
  EXPECT_EQ(plan.stops(0).eta_s(), 60u) << "the plan has no detour";
  EXPECT_EQ(plan.route().lat_e7(0), to_pickup(0.4).lat_e7);
  EXPECT_THAT(plan.route().piece_ms(), ElementsAre(6'000, 54'000, 100'000, 100'000, 100'000));
}

TEST_F(MarketSharingTest, AStopKeepsItsOrderWhenAnEarlierStopIsRemoved) {
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.TakeAll();
  for (const std::string trip : {"t-2", "t-3"}) {
    market_.RequestShared(trip);
    const FindCandidates round = Round();
    const std::size_t behind = trip == "t-2" ? 2 : 3;
    AnswerInsertions(round, {Into(round.cars.at(0), behind, behind)});
    if (trip == "t-3") {
      ASSERT_TRUE(market_.trips.Cancel("t-1").ok());
      market_.DeliverLog();
    }
    Settle();
  }
  EXPECT_THAT(StopsOf(market_.Plans("d").back()), ElementsAre("+t-2", "+t-3", "-t-3", "-t-2"));
}

TEST_F(MarketSharingTest, UnservableSharedTripIsGivenUp) {
  market_.trips.RequestShared("t-1", MarketTester::kPickup, MarketTester::kDropoff, market_.now(),
                              1, minutes(2));
  market_.DeliverLog();
  market_.Pass(minutes(1));
  EXPECT_EQ(market_.CarryOut(), 0u);
  market_.Pass(minutes(1));
  EXPECT_EQ(market_.CarryOut(), 1u);
  EXPECT_EQ(market_.trips.Get("t-1").state(), trip::v1::TRIP_STATE_UNSERVED);
}

TEST_F(MarketSharingTest, DoesNotOfferToADriverWhoWouldArriveTooLate) {
  market_.Connect("d");
  market_.trips.RequestShared("t-1", MarketTester::kPickup, MarketTester::kDropoff, market_.now(),
                              1, seconds(100));
  market_.DeliverLog();
  market_.AnswerRound({"d"});  // 60 s away, and may think for 15 s.
  EXPECT_THAT(market_.Offers("d"), IsEmpty());
}

TEST_F(MarketSharingTest, StopsAreOrderedByPromisesAfterARestart) {
  market_.Connect("d");
  for (const auto& [trip, within] : {std::pair("t-1", minutes(8)), std::pair("t-2", minutes(4))}) {
    market_.trips.RequestShared(trip, MarketTester::kPickup, MarketTester::kDropoff, market_.now(),
                                1, within, within + minutes(3));
    trip::v1::AssignTripRequest request;
    request.set_trip_id(trip);
    request.set_offer_id(std::string("o-of-") + trip);
    request.mutable_driver()->set_driver_id("d");
    ASSERT_TRUE(market_.trips.Do(request).ok());
  }
  market_.Restart();
  market_.DeliverLog();
  market_.Connect("d");
  market_.Handle(LogCaughtUp{});
  const auto plans = market_.Plans("d");
  ASSERT_FALSE(plans.empty());
  EXPECT_THAT(StopsOf(plans.back()), ElementsAre("+t-2", "-t-2", "+t-1", "-t-1"));
}

TEST_F(MarketSharingTest, SharingCanBeTurnedOff) {
  MarketConfig config = MarketTester::TestConfig();
  config.sharing.mode = SharingMode::kOff;
  Market market(config);
  FakeTrips trips("test");
  trips.RequestShared("t-1", MarketTester::kPickup, MarketTester::kDropoff, ScaledClock::kAnchor);
  market.Handle(LogCaughtUp{}, ScaledClock::kAnchor);
  const auto decisions = market.Handle(TripLogged{trips.log().at(0)}, ScaledClock::kAnchor);
  const auto* round = std::get_if<FindCandidates>(&decisions.at(0));
  ASSERT_NE(round, nullptr);
  EXPECT_THAT(round->cars, IsEmpty());
}

TEST_F(MarketSharingTest, RestoredPlanNeverExceedsTheSeats) {
  market_.Connect("d");
  AssignOneAfterTheOther("d");
  ASSERT_THAT(StopsOf(market_.Plans("d").at(0)), ElementsAre("+t-1", "-t-1", "+t-2", "-t-2"));

  // Both were promised a pick-up before any drop-off: by that order t-2 would never get in.
  market_.Restart();
  market_.DeliverLog();
  market_.Handle(LogCaughtUp{});
  market_.Connect("d", 4);
  const auto welcome = market_.Take<SendWelcome>();
  EXPECT_THAT(StopsOf(welcome.at(0).snapshot.plan()), ElementsAre("+t-1", "-t-1", "+t-2", "-t-2"));

  // The same for a driver who is back before the log has been read.
  market_.Restart();
  market_.Connect("d", 4);
  market_.Move("d");
  market_.DeliverLog();
  market_.TakeAll();
  market_.Handle(LogCaughtUp{});
  Settle();
  EXPECT_THAT(StopsOf(market_.Plans("d").at(0)), ElementsAre("+t-1", "-t-1", "+t-2", "-t-2"));
}

TEST_F(MarketSharingTest, DropOffsComeFirstWhenADriverChangesTheOrder) {
  market_.Connect("d");
  AssignOneAfterTheOther("d");
  market_.TakeAll();
  market_.Update("d", "t-2", v1::STOP_ACTION_ARRIVED);
  market_.Update("d", "t-2", v1::STOP_ACTION_PICKED_UP);
  Settle();
  EXPECT_THAT(StopsOf(market_.Plans("d").back()), ElementsAre("-t-2", "+t-1", "-t-1"));
}

TEST_F(MarketSharingTest, NotifiesTheRiderAtThePromisedTimeEvenIfTheCarIsSilent) {
  market_.Connect("d");
  AssignShared("t-1", "d");
  market_.Move("d");
  market_.TakeAll();
  const auto broken_flags = [&] {
    std::vector<bool> flags;
    for (const ReportProgress& report : market_.Take<ReportProgress>()) {
      flags.push_back(report.progress.progress().promise_broken());
    }
    return flags;
  };
  const Time latest = FromProto(market_.trips.Get("t-1").promise().latest_pickup_at());
  market_.Pass(latest - market_.now());
  EXPECT_THAT(broken_flags(), IsEmpty()) << "on time is not too late";
  market_.Pass(std::chrono::milliseconds(1));
  EXPECT_THAT(broken_flags(), ElementsAre(true));
  EXPECT_EQ(market_.market().promises_broken(), 1u);
  market_.Pass(seconds(21));
  EXPECT_THAT(broken_flags(), ElementsAre(true, true)) << "it may have been lost";
  EXPECT_EQ(market_.market().promises_broken(), 1u);

  market_.Restart();
  market_.DeliverLog();
  market_.Handle(LogCaughtUp{});
  EXPECT_THAT(broken_flags(), ::testing::Contains(true)) << "also by a process that begins";
  ASSERT_TRUE(market_.trips.Cancel("t-1").ok());
  market_.DeliverLog();
  market_.TakeAll();
  market_.Pass(minutes(1));
  EXPECT_THAT(broken_flags(), IsEmpty());
}

}  // namespace
}  // namespace ridestream::dispatch
