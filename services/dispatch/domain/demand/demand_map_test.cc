#include "services/dispatch/domain/demand/demand_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ridestream::dispatch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const LatLng kBusy = LatLng::FromDegrees(40.75, -73.98);
const LatLng kFar = LatLng::FromDegrees(40.85, -73.98);

class DemandMapTest : public ::testing::Test {
 protected:
  std::uint32_t SurgeAt(LatLng place) const {
    const auto found = demand_.surge().find(DemandMap::CellOf(place));
    return found == demand_.surge().end() ? 100 : found->second;
  }
  void Request(int riders, LatLng place = kBusy) {
    for (int i = 0; i < riders; ++i) demand_.Requested(place, now_, now_);
  }
  /// Surveys every 10 s with this many riders asking each time, and as many cars free there.
  void Pass(Duration time, int riders, std::size_t cars) {
    const std::vector<LatLng> free_cars(cars, kBusy);
    for (Duration passed{0}; passed < time; passed += seconds(10)) {
      now_ += seconds(10);
      Request(riders);
      demand_.Survey({}, free_cars, now_);
      seen_.push_back(SurgeAt(kBusy));
    }
  }

  DemandMap demand_{DemandConfig{.surge_cap_percent = 180}};
  Time now_ = ScaledClock::kAnchor;
  std::vector<std::uint32_t> seen_;
};

TEST_F(DemandMapTest, EnoughCarsMeanNoSurge) {
  Pass(minutes(20), 1, 40);
  EXPECT_THAT(demand_.surge(), IsEmpty());
  EXPECT_THAT(demand_.Shortages(), IsEmpty());
}

TEST_F(DemandMapTest, SingleRiderMakesNoSurge) {
  Request(1);
  const std::vector<LatLng> waiting{kBusy};
  for (int i = 0; i < 60; ++i) demand_.Survey(waiting, {}, now_ += seconds(10));
  EXPECT_THAT(demand_.surge(), IsEmpty());
}

TEST_F(DemandMapTest, SurgeRisesInStepsToItsCapAndFallsAgain) {
  Pass(minutes(20), 3, 2);
  EXPECT_EQ(SurgeAt(kBusy), 180U);
  EXPECT_EQ(SurgeAt(kFar), 100U);
  for (std::size_t i = 1; i < seen_.size(); ++i) {
    EXPECT_GE(seen_[i], seen_[i - 1]);
    EXPECT_EQ(seen_[i] % DemandMap::kStepPercent, 0U);
  }
  EXPECT_EQ(seen_[2], 100U) << "not at once";
  Pass(minutes(40), 0, 2);
  EXPECT_THAT(demand_.surge(), IsEmpty());
}

TEST_F(DemandMapTest, SurgeDoesNotFlickerWhenCarsComeAndGo) {
  Pass(minutes(20), 1, 12);
  const std::uint32_t before = SurgeAt(kBusy);
  EXPECT_GT(before, 100U);
  EXPECT_LT(before, 180U);
  seen_.clear();
  for (int i = 0; i < 60; ++i) Pass(seconds(10), 1, i % 2 == 0 ? 12 : 13);
  int changes = 0;
  for (std::size_t i = 1; i < seen_.size(); ++i) changes += seen_[i] != seen_[i - 1] ? 1 : 0;
  EXPECT_LE(changes, 1);
}

TEST_F(DemandMapTest, EarlierRequestsCountLessWithTime) {
  for (int i = 0; i < 20; ++i) demand_.Requested(kBusy, now_ - std::chrono::hours(2), now_);
  demand_.Survey({}, {}, now_ += seconds(10));
  EXPECT_THAT(demand_.Shortages(), IsEmpty());
  for (int i = 0; i < 20; ++i) demand_.Requested(kBusy, now_ - DemandMap::kMemory, now_);
  demand_.Survey({}, {}, now_ += seconds(1));
  ASSERT_THAT(demand_.Shortages(), SizeIs(1));
  EXPECT_NEAR(demand_.Shortages()[0].cars, 0.5 * 20 / 2.718, 0.1);
}

TEST_F(DemandMapTest, ShortagesAreTheWorstFirstAndNameAPlaceOfARequest) {
  Request(5, kFar);
  Request(12);
  const std::vector<LatLng> free_cars{kBusy, kBusy};
  demand_.Survey({}, free_cars, now_ += seconds(1));
  const auto shortages = demand_.Shortages();
  ASSERT_THAT(shortages, SizeIs(2));
  EXPECT_EQ(shortages[0].place, kBusy);
  EXPECT_NEAR(shortages[0].cars, 5, 0.1);
  EXPECT_EQ(shortages[1].place, kFar);
  EXPECT_NEAR(shortages[1].cars, 2.5, 0.1);
}

TEST_F(DemandMapTest, ACapOfAHundredPercentIsNoSurge) {
  DemandMap none{DemandConfig{.surge_cap_percent = 100}};
  for (int i = 0; i < 100; ++i) {
    none.Requested(kBusy, now_, now_);
    none.Survey({}, {}, now_ += seconds(10));
  }
  EXPECT_THAT(none.surge(), IsEmpty());
  EXPECT_THAT(none.Shortages(), SizeIs(1));
}

}  // namespace
}  // namespace ridestream::dispatch
