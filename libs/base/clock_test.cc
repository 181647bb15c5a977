#include "libs/base/clock.h"

#include <gtest/gtest.h>

namespace ridestream {
namespace {

using namespace std::chrono_literals;

TEST(ScaledClockTest, ShowsWallClockTimeAtRateOne) {
  const ScaledClock clock;
  const auto wall = std::chrono::system_clock::now();
  EXPECT_LT(std::chrono::abs(clock.Now() - wall), 1s);
}

TEST(ScaledClockTest, TwoClocksOfOneRateAgree) {
  const ScaledClock a(10);
  const ScaledClock b(10);
  EXPECT_LT(std::chrono::abs(a.Now() - b.Now()), 1s);
}

TEST(ScaledClockTest, RunsFasterByItsRate) {
  const ScaledClock fast(1000);
  const Time start = fast.Now();
  const auto steady_start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - steady_start < 2ms) {
  }
  EXPECT_GE(fast.Now() - start, 2s);
  EXPECT_EQ(fast.ToWall(1s), 1ms);
}

TEST(ManualClockTest, MovesOnlyWhenMoved) {
  ManualClock clock;
  const Time start = clock.Now();
  clock.Advance(5s);
  EXPECT_EQ(clock.Now() - start, 5s);
}

}  // namespace
}  // namespace ridestream
