#include "services/dispatch/matching/costs.h"

#include <gtest/gtest.h>

#include <array>

#include "services/dispatch/matching/insertion.h"

// Each test is a row of the table in costs.h, or what rows have in common.
namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

constexpr MatchingCosts kWeights{.refusal = seconds(12),
                                 .unmatched = seconds(500),
                                 .ageing = 0.5,
                                 .driving = 2,
                                 .least_gain = seconds(30)};
constexpr Dwell kDwell{seconds(30), seconds(10)};
constexpr CostedTrip kTrip{3, seconds(300), seconds(40)};

/// Places in a row, `index` times 100 s from the first.
class Row final : public TravelTimes {
 public:
  Duration Between(PlaceIndex from, PlaceIndex to) override {
    return seconds(100) * (from < to ? to - from : from - to);
  }
};

TEST(CostsTest, AFreeDriverCostsThePickUpOfEachRiderTheDrivingAndTheRefusals) {
  const Costs costs(kWeights, kDwell);
  EXPECT_EQ(costs.OfFreeDriver(kTrip, seconds(100), 1), seconds(100 * 3 + (100 + 300) * 2));
  // Accepts every third offer: two are refused before.
  EXPECT_NEAR(static_cast<double>((costs.OfFreeDriver(kTrip, seconds(100), 1.0 / 3) -
                                   costs.OfFreeDriver(kTrip, seconds(100), 1)) /
                                  std::chrono::milliseconds(1)),
              2 * 12'000, 1);
}

TEST(CostsTest, WaitingCostsEachRiderTheRoundAndItsAgeAndTheRideIsStillToBeDriven) {
  const Costs costs(kWeights, kDwell);
  EXPECT_EQ(costs.OfWaiting(kTrip), seconds((500 + 20) * 3 + 300 * 2));
}

TEST(CostsTest, AnInsertionDoesNotCountTheDirectRideAndStanding) {
  const Costs costs(kWeights, kDwell);
  EXPECT_EQ(costs.OfInsertion(kTrip, seconds(5'000)),
            seconds(5'000 - (300 + 30) * 3 - (30 + 10) * 2));
  EXPECT_EQ(costs.OfInsertion(kTrip, costs.OfWaitingAsInsertion(kTrip)), costs.OfWaiting(kTrip));
}

TEST(CostsTest, AnInsertionCountsDetourDelayAndOwnTime) {
  Row row;
  // At 0; somebody gets out at 2 and two more at 4. The rider goes from 3 to 5.
  const Time now = ScaledClock::kAnchor;
  RunningCar car{.place = 0, .leaves = now, .seats = 8, .aboard = 3, .stops = {}};
  car.stops.push_back({.place = 2, .riders = -1, .arrival = now + seconds(200)});
  car.stops.push_back({.place = 4, .riders = -2, .arrival = now + seconds(400)});
  const InsertedRider rider{.pickup = 3,
                            .dropoff = 5,
                            .party_size = 3,
                            .latest_pickup = now + seconds(1'000),
                            .latest_dropoff = now + seconds(2'000),
                            .pickup_dwell = kDwell.pickup,
                            .dropoff_dwell = kDwell.dropoff,
                            .asked_at = now,
                            .driving = 2};
  const auto found = FindInsertion(car, rider, row);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->added, seconds(30 + 100 + 10));
  const seconds detour(140 * 2);
  const seconds delay(30 * 2);
  const seconds own_time((500 + 30) * 3);
  EXPECT_EQ(found->cost, detour + delay + own_time);
}

TEST(CostsTest, InsertionIntoAnEmptyPlanCostsLikeAFreeDriverWhoNeverRefuses) {
  Row row;
  const Time now = ScaledClock::kAnchor;
  const RunningCar car{.place = 0, .leaves = now, .seats = 8, .stops = {}};
  const InsertedRider rider{.pickup = 1,
                            .dropoff = 4,
                            .party_size = kTrip.party_size,
                            .latest_pickup = now + seconds(1'000),
                            .latest_dropoff = now + seconds(2'000),
                            .pickup_dwell = kDwell.pickup,
                            .dropoff_dwell = kDwell.dropoff,
                            .asked_at = now,
                            .driving = kWeights.driving};
  const auto found = FindInsertion(car, rider, row);
  ASSERT_TRUE(found);
  const Costs costs(kWeights, kDwell);
  EXPECT_EQ(costs.OfInsertion(kTrip, found->cost), costs.OfFreeDriver(kTrip, seconds(100), 1));
}

TEST(CostsTest, CostInAPlanIsTheSavingWithoutTheRider) {
  Row row;
  const Time now = ScaledClock::kAnchor;
  RunningCar car{.place = 0, .leaves = now, .seats = 8, .aboard = 2, .stops = {}};
  car.stops.push_back({.place = 4, .riders = -2, .arrival = now + seconds(400)});
  const InsertedRider rider{.pickup = 1,
                            .dropoff = 3,
                            .party_size = 1,
                            .latest_pickup = now + seconds(1'000),
                            .latest_dropoff = now + seconds(2'000),
                            .pickup_dwell = kDwell.pickup,
                            .dropoff_dwell = kDwell.dropoff,
                            .asked_at = now,
                            .driving = 2};
  const auto found = FindInsertion(car, rider, row);
  ASSERT_TRUE(found);
  RunningCar with = car;
  with.stops.insert(
      with.stops.begin(),
      {{.place = 1, .riders = 1, .arrival = now + seconds(100), .dwell = kDwell.pickup},
       {.place = 3, .riders = -1, .arrival = now + seconds(330), .dwell = kDwell.dropoff}});
  with.stops.back().arrival += kDwell.pickup + kDwell.dropoff;
  const std::array<std::size_t, 2> stops{0, 1};
  const Duration spared = WorthOfRemoving(with, stops, now, 2, row);
  EXPECT_EQ(spared, found->cost);
  EXPECT_EQ(GainOfMove(spared, found->cost), Duration::zero());
  // A rider who costs 100 s more at present gains 100 s in all by taking the freed capacity.
  EXPECT_EQ(SparedByFreedCapacity(spared, found->cost + seconds(100), found->cost),
            spared + seconds(100));
}

TEST(CostsTest, MoveNeedsTheLeastGain) {
  const Costs costs(kWeights, kDwell);
  EXPECT_TRUE(costs.IsWorthMoving(seconds(30)));
  EXPECT_FALSE(costs.IsWorthMoving(seconds(30) - Duration(1)));
}

TEST(CostsTest, TheDefaultsAreThoseOfTheTable) {
  const MatchingCosts weights;
  EXPECT_EQ(weights.driving, 1);
  EXPECT_EQ(weights.refusal, seconds(10));
  EXPECT_EQ(weights.unmatched, std::chrono::minutes(10));
  EXPECT_EQ(weights.ageing, 0.3);
  EXPECT_EQ(weights.least_gain, seconds(30));
}

}  // namespace
}  // namespace ridestream::dispatch
