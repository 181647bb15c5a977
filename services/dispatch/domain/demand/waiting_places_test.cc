#include "services/dispatch/domain/demand/waiting_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const LatLng kCrowded = LatLng::FromDegrees(40.75, -73.98);

LatLng North(double metres) { return OffsetBy(kCrowded, metres, 0); }

class WaitingPlacesTest : public ::testing::Test {
 protected:
  std::vector<std::string> Suggest(const std::vector<WaitingPlaces::FreeCar>& cars, double missing,
                                   Duration later = seconds(10)) {
    now_ += later;
    const std::vector<DemandMap::Shortage> shortages{
        {DemandMap::CellOf(kCrowded), kCrowded, missing}};
    std::vector<std::string> drivers;
    for (const auto& suggestion : places_.Suggest(cars, shortages, now_)) {
      EXPECT_EQ(suggestion.place, kCrowded);
      EXPECT_EQ(suggestion.expires_at, now_ + WaitingPlaces::kLasts);
      drivers.push_back(suggestion.driver.str());
    }
    return drivers;
  }

  WaitingPlaces places_;
  Time now_ = ScaledClock::kAnchor;
};

TEST_F(WaitingPlacesTest, SuggestsToAsManyNearestDriversAsAreMissing) {
  EXPECT_THAT(Suggest({{DriverId("far"), North(3'500)},
                       {DriverId("near"), North(2'000)},
                       {DriverId("nearer"), North(1'900)},
                       {DriverId("too far"), North(4'100)}},
                      2.9),
              ElementsAre("nearer", "near"));
}

TEST_F(WaitingPlacesTest, DriverAtAWaitingPlaceGetsNoSuggestion) {
  EXPECT_THAT(Suggest({{DriverId("there"), kCrowded}}, 5), IsEmpty());
}

TEST_F(WaitingPlacesTest, EachDriverGetsOneSuggestionAtATimeAndCountsAsUnderWay) {
  const std::vector<WaitingPlaces::FreeCar> cars{
      {DriverId("a"), North(2'000)}, {DriverId("b"), North(2'500)}, {DriverId("c"), North(3'000)}};
  EXPECT_THAT(Suggest(cars, 1), ElementsAre("a"));
  EXPECT_THAT(Suggest(cars, 1), IsEmpty()) << "a may be on its way";
  EXPECT_THAT(Suggest(cars, 2), ElementsAre("b"));
  EXPECT_THAT(Suggest(cars, 1, WaitingPlaces::kLasts), ElementsAre("a")) << "it didn't come";
}

TEST_F(WaitingPlacesTest, DriverWithATripNoLongerCountsAsUnderWay) {
  EXPECT_THAT(Suggest({{DriverId("a"), North(2'000)}}, 1), ElementsAre("a"));
  EXPECT_THAT(Suggest({{DriverId("b"), North(2'500)}}, 1), ElementsAre("b"));
}

}  // namespace
}  // namespace ridestream::dispatch
