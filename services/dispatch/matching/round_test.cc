#include "services/dispatch/matching/round.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kRoundAt = ScaledClock::kAnchor;

/// A snapshot under construction, and what it points to.
class RoundTest : public ::testing::Test {
 protected:
  /// The trip just added.
  RoundTrip& AddTrip() { return snapshot_.trips.emplace_back(); }
  void AddDriver(const std::string& id, int seconds_away, bool last_resort = false) {
    candidates_.push_back({DriverId(id), LatLng{}, seconds(seconds_away)});
    snapshot_.trips.back().drivers.push_back({&candidates_.back(), 1, last_resort});
  }
  void AddInsertion(const std::string& id, int cost_s) {
    InsertionFound found{DriverId(id), 1, {}};
    found.insertion.cost = seconds(cost_s);
    insertions_.push_back(found);
    snapshot_.trips.back().insertions.push_back(&insertions_.back());
  }

  /// For each trip its driver, with a + if the trip is put into a plan.
  std::vector<std::string> Decide() const {
    std::vector<std::string> drivers;
    for (const RoundChoice& choice : DecideRound(rules_, snapshot_, NoDeadline()).choices) {
      drivers.push_back(choice.insertion != nullptr ? choice.insertion->driver.str() + "+"
                        : choice.driver != nullptr  ? choice.driver->driver.str()
                                                    : "");
    }
    return drivers;
  }

  RoundRules rules_;
  RoundSnapshot snapshot_{kRoundAt, {}};
  std::deque<Candidate> candidates_;
  std::deque<InsertionFound> insertions_;
};

TEST_F(RoundTest, TheNearestDriverServesTheTripWhoseAlternativeCostsMost) {
  AddTrip();
  AddDriver("near", 10);
  AddDriver("far", 20);
  AddTrip();
  AddDriver("near", 20);
  AddDriver("far", 500);
  EXPECT_THAT(Decide(), ElementsAre("far", "near"));
  rules_.method = MatchingMethod::kNearestByTime;
  EXPECT_THAT(Decide(), ElementsAre("near", "far"));
}

TEST_F(RoundTest, InsertionsCompeteWithFreeDriversOnCost) {
  RoundTrip& trip = AddTrip();
  trip.costed.direct = seconds(300);
  AddDriver("free", 100);  // 100 s for the rider and 400 s of driving.
  const int uncounted = 300 + 30 + 40;
  AddInsertion("shared", 499 + uncounted);
  EXPECT_THAT(Decide(), ElementsAre("shared+"));
  insertions_.back().insertion.cost += seconds(2);
  EXPECT_THAT(Decide(), ElementsAre("free"));
}

TEST_F(RoundTest, ThePriceOfWaitingHoldsATripOnlyWhereItMay) {
  RoundTrip& trip = AddTrip();
  trip.held_by_price = true;
  AddDriver("distant", 400);  // Costs 800 s, and waiting 600 s.
  EXPECT_THAT(Decide(), ElementsAre(""));
  trip.held_by_price = false;
  EXPECT_THAT(Decide(), ElementsAre("distant"));
}

TEST_F(RoundTest, OnlyALastLookAcceptsACostlyInsertion) {
  RoundTrip& trip = AddTrip();
  AddInsertion("shared", 5'000);
  EXPECT_THAT(Decide(), ElementsAre(""));
  trip.last_look = true;
  EXPECT_THAT(Decide(), ElementsAre("shared+"));
}

TEST_F(RoundTest, DoesNotMatchADriverWhoWouldBreakThePromise) {
  RoundTrip& trip = AddTrip();
  trip.latest_pickup = kRoundAt + rules_.response + seconds(100);
  AddDriver("late", 101);
  EXPECT_THAT(Decide(), ElementsAre(""));
  AddDriver("in-time", 100);
  EXPECT_THAT(Decide(), ElementsAre("in-time"));
}

TEST_F(RoundTest, LastResortIsTakenWithoutAnotherCandidate) {
  RoundTrip& trip = AddTrip();
  trip.held_by_price = true;
  AddDriver("silent", 10, /*last_resort=*/true);
  EXPECT_THAT(Decide(), ElementsAre(""));
  trip.looks_furthest = true;
  EXPECT_THAT(Decide(), ElementsAre("silent"));
  AddDriver("other", 100);
  EXPECT_THAT(Decide(), ElementsAre("other"));
}

TEST_F(RoundTest, TheOrderOfTheAnswersDoesNotMatter) {
  AddTrip();
  AddDriver("b", 10);
  AddDriver("a", 10);
  EXPECT_THAT(Decide(), ElementsAre("a"));
}

TEST_F(RoundTest, ReportsASolverThatRanOutOfTime) {
  AddTrip();
  AddDriver("d", 10);
  const StartDeadline at_once = [] { return [] { return true; }; };
  EXPECT_TRUE(DecideRound(rules_, snapshot_, at_once).out_of_time);
  EXPECT_FALSE(DecideRound(rules_, snapshot_, NoDeadline()).out_of_time);
}

TEST(ChooseMovesTest, TheGreatestGainGoesFirstAndNoPlanIsChangedTwice) {
  const Costs costs({}, {});
  const std::vector<MoveOption> options{
      {seconds(40), DriverId("a"), DriverId("b")},
      {seconds(60), DriverId("c"), DriverId("b")},
      {seconds(50), DriverId("a"), DriverId("d")},
      {seconds(31), DriverId("e"), DriverId("f")},
  };
  EXPECT_THAT(ChooseMoves(costs, options), ElementsAre(1, 2, 3));
}

TEST(ChooseMovesTest, DriverWhoGivesUpATripForTheFreedCapacityCountsAsChanged) {
  const Costs costs({}, {});
  const std::vector<MoveOption> options{
      {seconds(60), DriverId("a"), DriverId("b"), DriverId("c")},
      {seconds(50), DriverId("c"), DriverId("d")},
  };
  EXPECT_THAT(ChooseMoves(costs, options), ElementsAre(0));
}

TEST(ChooseMovesTest, MovesNeedTheLeastGain) {
  const std::vector<MoveOption> options{{seconds(29), DriverId("a"), DriverId("b")}};
  EXPECT_THAT(ChooseMoves(Costs({}, {}), options), IsEmpty());
}

}  // namespace
}  // namespace ridestream::dispatch
