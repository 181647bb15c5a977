#include "services/dispatch/domain/plan/drive_timer.h"

#include <gtest/gtest.h>

#include <vector>

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

class DriveTimerTest : public ::testing::Test {
 protected:
  /// Reports every 4 s, driving this many seconds of the route's time in each.
  void Drive(int reports, Duration each) {
    for (int i = 0; i < reports; ++i) {
      now_ += seconds(4);
      behind_ += each;
      if (const auto stretch = timer_.Moved(behind_, now_)) stretches_.push_back(*stretch);
    }
  }

  DriveTimer timer_;
  Time now_ = ScaledClock::kAnchor;
  Duration behind_{0};
  std::vector<DriveTimer::Stretch> stretches_;
};

TEST_F(DriveTimerTest, TimesStretchesOfAMinute) {
  Drive(80, seconds(2));  // half as fast as the route says
  ASSERT_FALSE(stretches_.empty());
  for (const auto& stretch : stretches_) {
    EXPECT_GE(stretch.to - stretch.from, DriveTimer::kStretch);
    EXPECT_EQ(stretch.took, 2 * (stretch.to - stretch.from));
  }
  EXPECT_EQ(stretches_[0].from, seconds(4)) << "from where it was seen to drive";
  ASSERT_GT(stretches_.size(), 1U);
  EXPECT_EQ(stretches_[1].from, stretches_[0].to);
}

TEST_F(DriveTimerTest, StandingInTrafficCountsStandingAtAStopDoesNot) {
  Drive(10, seconds(4));
  Drive(5, seconds(0));
  Drive(10, seconds(4));
  ASSERT_EQ(stretches_.size(), 1U);
  EXPECT_EQ(stretches_[0].took - (stretches_[0].to - stretches_[0].from), seconds(20));

  stretches_.clear();
  timer_.Restart();
  Drive(20, seconds(4));
  Drive(5, seconds(0));  // at the stop
  timer_.Restart();
  Drive(3, seconds(0));
  Drive(20, seconds(4));
  ASSERT_EQ(stretches_.size(), 2U);
  for (const auto& stretch : stretches_) EXPECT_EQ(stretch.took, stretch.to - stretch.from);
}

TEST_F(DriveTimerTest, SilentAndParkedCarsAreNotTimed) {
  Drive(10, seconds(4));
  now_ += DriveTimer::kGap;
  Drive(10, seconds(4));
  EXPECT_TRUE(stretches_.empty());
  for (Duration stood{0}; stood <= DriveTimer::kLongest; stood += seconds(4)) Drive(1, seconds(0));
  Drive(8, seconds(4));
  EXPECT_TRUE(stretches_.empty());
}

}  // namespace
}  // namespace ridestream::dispatch
