#include "services/dispatch/domain/search/waiting_trips.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow = ScaledClock::kAnchor;

WaitingTrip Trip(const std::string& id, int age_s = 0) {
  return {TripId(id), kNow - seconds(age_s), LatLng{}, 1, 2'000, kNow};
}

Candidate At(const std::string& driver, int seconds_away) {
  return {DriverId(driver), LatLng{}, seconds(seconds_away)};
}

Eligibility Everybody(const WaitingTrip&, const DriverId&) { return Eligibility::kYes; }

bool Anything(const TripId&, const InsertionFound&) { return true; }

std::vector<std::string> Pairs(const std::vector<Match>& matches) {
  std::vector<std::string> pairs;
  for (const Match& match : matches) {
    pairs.push_back(fmt::format("{}-{}", match.trip.id, match.candidate.driver));
  }
  return pairs;
}

std::vector<std::string> Asked(const std::optional<FindCandidates>& round) {
  std::vector<std::string> trips;
  if (!round) return trips;
  for (const auto& query : round->queries) {
    trips.push_back(fmt::format("{}@{}", query.trip, query.radius_m));
  }
  return trips;
}

class WaitingTripsTest : public ::testing::Test {
 protected:
  using ForTrip = CandidatesFound::ForTrip;

  std::vector<std::string> Finish(std::vector<ForTrip> answers,
                                  const SuitabilityFn& suitability = Everybody) {
    return Pairs(waiting_.FinishRound({++round_, std::move(answers)}, suitability, Anything, kNow));
  }

  WaitingTrips waiting_{{seconds(1), 10'000}};
  std::uint64_t round_ = 0;
};

TEST_F(WaitingTripsTest, TheOldestTripTakesItsNearestFirst) {
  waiting_.Add(Trip("young", 1));
  waiting_.Add(Trip("old", 9));
  EXPECT_THAT(Asked(waiting_.StartRound(kNow)), ElementsAre("old@2000", "young@2000"));
  EXPECT_THAT(Finish({{TripId("young"), {At("near", 10), At("far", 20)}},
                      {TripId("old"), {At("far", 40), At("near", 30)}}}),
              ElementsAre("old-near", "young-far"));
}

TEST_F(WaitingTripsTest, APartyCanExpectADriverFromAsFarAsOneRiderCan) {
  auto party = Trip("party");
  party.party_size = 4;
  waiting_.Add(party);
  waiting_.Add(Trip("single"));
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("party"), {At("a", 250)}}, {TripId("single"), {At("b", 250)}}}),
              ::testing::UnorderedElementsAre("party-a", "single-b"));
}

TEST_F(WaitingTripsTest, DriversEquallyNearGoByTheirIds) {
  waiting_.Add(Trip("t"));
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("t"), {At("b", 10), At("a", 10), At("c", 10)}}}), ElementsAre("t-a"));
}

TEST_F(WaitingTripsTest, RadiusDoublesAfterARoundWithoutADriver) {
  waiting_.Add(Trip("t"));
  std::vector<std::string> radii;
  for (int i = 0; i < 5; ++i) {
    radii.push_back(Asked(waiting_.StartRound(kNow + seconds(i))).at(0));
    EXPECT_THAT(Finish({{TripId("t"), {}}}), IsEmpty());
  }
  EXPECT_THAT(radii, ElementsAre("t@2000", "t@4000", "t@8000", "t@10000", "t@10000"));
}

/// Further than any price accepts.
constexpr int kTooDear = 590;

WaitingTrip UnheldTrip(const std::string& id, int age_s = 0) {
  WaitingTrip trip = Trip(id, age_s);
  trip.radius_m = 10'000;
  return trip;
}

TEST_F(WaitingTripsTest, LeftoverDriverIsAssignedAtAnyDistance) {
  for (const std::uint32_t party_size : {1u, 2u, 8u}) {
    auto trip = UnheldTrip("t");
    trip.party_size = party_size;
    waiting_.Add(trip);
    waiting_.StartRound(kNow);
    EXPECT_THAT(Finish({{TripId("t"), {At("far", kTooDear)}}}), ElementsAre("t-far"));
  }
}

TEST_F(WaitingTripsTest, ThePriceHoldsATripUntilItsTimeIsOver) {
  auto trip = UnheldTrip("t");
  trip.held_by_price_until = kNow + Duration(1);
  waiting_.Add(trip);
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("t"), {At("far", kTooDear)}}}), IsEmpty());
  trip.held_by_price_until = kNow;
  waiting_.Add(trip);
  waiting_.StartRound(kNow + seconds(1));
  EXPECT_THAT(Finish({{TripId("t"), {At("far", kTooDear)}}}), ElementsAre("t-far"));
}

TEST_F(WaitingTripsTest, ThePriceHoldsATripThatCanLookFurther) {
  auto trip = UnheldTrip("t");
  trip.radius_m = 8'000;
  waiting_.Add(trip);
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("t"), {At("far", kTooDear)}}}), IsEmpty());
  waiting_.StartRound(kNow + seconds(1));
  EXPECT_THAT(Finish({{TripId("t"), {At("far", kTooDear)}}}), ElementsAre("t-far"));
}

TEST_F(WaitingTripsTest, LeftoverDriversGoToTheCheapestTrips) {
  waiting_.Add(UnheldTrip("a", 9));
  waiting_.Add(UnheldTrip("b", 8));
  waiting_.Add(UnheldTrip("c", 7));
  waiting_.StartRound(kNow);
  // The near one is worth its price to "a"; of the other two riders each gets a driver.
  EXPECT_THAT(Finish({{TripId("a"), {At("near", 10), At("far", 500)}},
                      {TripId("b"), {At("near", 20), At("far", 500)}},
                      {TripId("c"), {At("far", 490), At("further", 580)}}}),
              ElementsAre("a-near", "b-far", "c-further"));
}

TEST_F(WaitingTripsTest, ATripWithoutAnotherDriverGetsItsLastResort) {
  const auto silent_one = [](const WaitingTrip& trip, const DriverId& driver) {
    return trip.id == TripId("young") && driver == DriverId("silent") ? Eligibility::kLastResort
                                                                      : Eligibility::kYes;
  };
  waiting_.Add(UnheldTrip("old", 9));
  waiting_.Add(UnheldTrip("young"));
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("old"), {At("other", 10)}},
                      {TripId("young"), {At("other", 10), At("silent", 20)}}},
                     silent_one),
              ElementsAre("old-other", "young-silent"));
}

TEST_F(WaitingTripsTest, LastRoundGoesFirstWithoutAPriceLimit) {
  waiting_.Add(Trip("old", 9));
  auto last = Trip("last");
  last.last_look = true;
  last.held_by_price_until = Time::max();
  waiting_.Add(last);
  EXPECT_THAT(Asked(waiting_.StartRound(kNow, 1)), ElementsAre("last@2000"));
  EXPECT_THAT(waiting_.TakeLookedLast(), IsEmpty());
  EXPECT_THAT(Finish({{TripId("last"), {At("far", kTooDear)}}}), ElementsAre("last-far"));
  EXPECT_THAT(waiting_.TakeLookedLast(), ElementsAre(TripId("last")));
  EXPECT_THAT(waiting_.TakeLookedLast(), IsEmpty());
}

TEST_F(WaitingTripsTest, LastRoundEndsEvenWithoutAnAnswer) {
  auto last = Trip("last");
  last.last_look = true;
  waiting_.Add(last);
  waiting_.StartRound(kNow);
  waiting_.AbandonRound(kNow);
  EXPECT_THAT(waiting_.TakeLookedLast(), ElementsAre(TripId("last")));
}

TEST_F(WaitingTripsTest, LastResortIsTakenOnlyWithoutAnotherDriver) {
  const auto silent_one = [](const WaitingTrip&, const DriverId& driver) {
    return driver == DriverId("silent") ? Eligibility::kLastResort : Eligibility::kYes;
  };
  auto trip = Trip("t");
  trip.radius_m = 8'000;
  waiting_.Add(trip);
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("t"), {At("silent", 1)}}}, silent_one), IsEmpty());
  waiting_.StartRound(kNow + seconds(1));
  EXPECT_THAT(Finish({{TripId("t"), {At("silent", 1), At("other", 99)}}}, silent_one),
              ElementsAre("t-other"));
  waiting_.StartRound(kNow + seconds(2));
  EXPECT_THAT(Finish({{TripId("t"), {At("silent", 1)}}}, silent_one), ElementsAre("t-silent"));
}

TEST_F(WaitingTripsTest, RoundsFollowEachOtherButANewTripDoesNotWaitForTheNext) {
  EXPECT_EQ(waiting_.NextRound(), std::nullopt);
  waiting_.Add(Trip("t-1"));
  EXPECT_EQ(waiting_.NextRound(), kNow);
  waiting_.StartRound(kNow);
  EXPECT_EQ(waiting_.NextRound(), std::nullopt) << "one is in flight";
  Finish({{TripId("t-1"), {}}});
  EXPECT_EQ(waiting_.NextRound(), kNow + seconds(1));
  waiting_.Add(Trip("t-2"));
  EXPECT_EQ(waiting_.NextRound(), kNow);
}

TEST_F(WaitingTripsTest, ATripThatCameDuringARoundStartsTheNextAtItsEnd) {
  waiting_.Add(Trip("t-1"));
  waiting_.StartRound(kNow);
  waiting_.Add(Trip("t-2"));
  Finish({{TripId("t-1"), {}}});
  EXPECT_EQ(waiting_.NextRound(), kNow);
}

TEST_F(WaitingTripsTest, AHeldTripIsLeftOut) {
  auto held = Trip("held");
  held.hold_until = kNow + seconds(3);
  waiting_.Add(held);
  EXPECT_EQ(waiting_.NextRound(), kNow + seconds(3));
  EXPECT_THAT(Asked(waiting_.StartRound(kNow)), IsEmpty());
  EXPECT_EQ(waiting_.NextRound(), kNow + seconds(3));
  waiting_.Add(Trip("t"));
  EXPECT_THAT(Asked(waiting_.StartRound(kNow)), ElementsAre("t@2000"));
}

TEST_F(WaitingTripsTest, TheNextRoundAfterAFailedOneWaitsForThePauseWithTheSameRadius) {
  waiting_.Add(Trip("t-1"));
  waiting_.StartRound(kNow);
  waiting_.Add(Trip("t-2"));
  EXPECT_THAT(waiting_.FinishRound({1, absl::UnavailableError("location is down")}, Everybody,
                                   Anything, kNow + seconds(2)),
              IsEmpty());
  EXPECT_EQ(waiting_.NextRound(), kNow + seconds(3));
  EXPECT_THAT(Asked(waiting_.StartRound(kNow + seconds(3))), ElementsAre("t-1@2000", "t-2@2000"));
}

TEST_F(WaitingTripsTest, AnAnswerToAnAbandonedRoundIsIgnored) {
  waiting_.Add(Trip("t"));
  waiting_.StartRound(kNow);
  waiting_.AbandonRound(kNow);
  EXPECT_THAT(Finish({{TripId("t"), {At("d", 1)}}}), IsEmpty());
  waiting_.StartRound(kNow + seconds(1));
  EXPECT_THAT(Finish({{TripId("t"), {At("d", 1)}}}), ElementsAre("t-d"));
}

TEST_F(WaitingTripsTest, TripThatStoppedWaitingDuringTheRoundGetsNoDriver) {
  waiting_.Add(Trip("t"));
  waiting_.StartRound(kNow);
  waiting_.Remove(TripId("t"));
  EXPECT_THAT(Finish({{TripId("t"), {At("d", 1)}}, {TripId("never"), {At("d", 1)}}}), IsEmpty());
}

TEST_F(WaitingTripsTest, TripsBeyondAFullRoundComeInTheNextRound) {
  for (std::size_t i = 0; i < WaitingTrips::kMaxTripsPerRound + 2; ++i) {
    waiting_.Add(Trip(fmt::format("t-{:04}", i)));
  }
  const auto first = Asked(waiting_.StartRound(kNow));
  ASSERT_EQ(first.size(), WaitingTrips::kMaxTripsPerRound);
  EXPECT_EQ(first.front(), "t-0000@2000");
  Finish({});
  const auto second = Asked(waiting_.StartRound(kNow + seconds(1)));
  ASSERT_EQ(second.size(), WaitingTrips::kMaxTripsPerRound);
  EXPECT_EQ(second.front(), "t-1000@2000");
  EXPECT_EQ(second[1], "t-1001@2000");
  EXPECT_EQ(second[2], "t-0000@2000");
}

TEST_F(WaitingTripsTest, RoundMinimizesTheTotalCost) {
  waiting_.Add(Trip("t-1"));
  waiting_.Add(Trip("t-2"));
  waiting_.StartRound(kNow);
  // Nearest first would send a to t-1, and b from afar to t-2.
  EXPECT_THAT(Finish({{TripId("t-1"), {At("a", 10), At("b", 20)}},
                      {TripId("t-2"), {At("a", 15), At("b", 300)}}}),
              ElementsAre("t-1-b", "t-2-a"));
}

TEST_F(WaitingTripsTest, LongestWaitingTripGetsTheOnlyDriver) {
  waiting_.Add(Trip("old", 240));
  waiting_.Add(Trip("young", 0));
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("old"), {At("d", 60)}}, {TripId("young"), {At("d", 40)}}}),
              ElementsAre("old-d"));
}

TEST_F(WaitingTripsTest, ANearRiderGoesBeforeOneWhoWaitedALittleLonger) {
  waiting_.Add(Trip("far", 5));
  waiting_.Add(Trip("near", 0));
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("far"), {At("d", 300)}}, {TripId("near"), {At("d", 40)}}}),
              ElementsAre("near-d"));
}

TEST_F(WaitingTripsTest, FrequentDeclinerCostsMore) {
  const auto picky = [](const WaitingTrip&, const DriverId& driver) {
    return Suitability(Eligibility::kYes, driver == DriverId("picky") ? 0.2 : 0.9);
  };
  waiting_.Add(Trip("t"));
  waiting_.StartRound(kNow);
  EXPECT_THAT(Finish({{TripId("t"), {At("picky", 10), At("willing", 20)}}}, picky),
              ElementsAre("t-willing"));
}

TEST_F(WaitingTripsTest, NearestDriversCanBeAssignedWithoutTheSolver) {
  // Equally far as the crow flies; which is nearer by time depends on the streets.
  const auto pairs_by = [](MatchingMethod method) {
    WaitingTrips waiting({seconds(1), 10'000, method});
    waiting.Add(Trip("t-1"));
    waiting.StartRound(kNow);
    const Candidate beside{DriverId("beside"), OffsetBy(LatLng{}, 100, 0), seconds(90)};
    const Candidate behind{DriverId("behind"), OffsetBy(LatLng{}, 300, 0), seconds(30)};
    return Pairs(waiting.FinishRound({1, std::vector<ForTrip>{{TripId("t-1"), {beside, behind}}}},
                                     Everybody, Anything, kNow));
  };
  EXPECT_THAT(pairs_by(MatchingMethod::kNearestByLine), ElementsAre("t-1-beside"));
  EXPECT_THAT(pairs_by(MatchingMethod::kNearestByTime), ElementsAre("t-1-behind"));
  EXPECT_THAT(pairs_by(MatchingMethod::kAssignment), ElementsAre("t-1-behind"));
}

TEST_F(WaitingTripsTest, ManyWaitingTripsShareARound) {
  for (std::size_t i = 0; i < WaitingTrips::kFewTrips; ++i)
    waiting_.Add(Trip(fmt::format("{}", i)));
  waiting_.StartRound(kNow);
  Finish({});
  waiting_.Add(Trip("another"));
  EXPECT_EQ(waiting_.NextRound(), kNow + seconds(1));
}

TEST_F(WaitingTripsTest, CountsRoundsThatRanOutOfTime) {
  WaitingTrips hasty({.match_every = seconds(1), .max_radius_m = 10'000, .start_deadline = [] {
                        return [] { return true; };
                      }});
  hasty.Add(Trip("t"));
  hasty.StartRound(kNow);
  EXPECT_THAT(Pairs(hasty.FinishRound({1, std::vector<ForTrip>{{TripId("t"), {At("d", 1)}}}},
                                      Everybody, Anything, kNow)),
              ElementsAre("t-d"));
  EXPECT_EQ(hasty.rounds_out_of_time(), 1u);
  EXPECT_EQ(waiting_.rounds_out_of_time(), 0u);
}

TEST_F(WaitingTripsTest, ATripIsInAnyRoundOnce) {
  waiting_.Add(Trip("t", 3));
  waiting_.Add(Trip("t", 3));
  EXPECT_THAT(Asked(waiting_.StartRound(kNow)), ElementsAre("t@2000"));
  EXPECT_THAT(Finish({{TripId("t"), {At("a", 1), At("b", 2)}}, {TripId("t"), {At("b", 2)}}}).size(),
              1u);
}

}  // namespace
}  // namespace ridestream::dispatch
