#include "tests/chaos/schedule.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;

TEST(ScheduleTest, TheSeedDecidesEverything) {
  const auto names = [](std::uint64_t seed) {
    std::string text;
    for (const Event& event : MakeSchedule(seed, 120s)) {
      text += std::to_string(event.at.count()) + Name(event.deed) + Name(event.target) +
              std::to_string(event.lasts.count()) + " ";
    }
    return text;
  };
  EXPECT_EQ(names(1), names(1));
  EXPECT_NE(names(1), names(2));
}

TEST(ScheduleTest, SomethingHappensEveryFourSecondsAndNothingLastsBeyondTheEnd) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto before = 0ms;
    for (const Event& event : MakeSchedule(seed, 100s)) {
      EXPECT_LE(event.at - before, 4s);
      EXPECT_GT(event.at, before);
      EXPECT_LE(event.at + event.lasts, 100s);
      EXPECT_LE(event.lasts, 10s);
      before = event.at;
    }
    EXPECT_GE(before, 96s);
  }
}

TEST(ScheduleTest, ATargetHasOneFaultAtATime) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::map<Target, std::chrono::milliseconds> free_at;
    for (const Event& event : MakeSchedule(seed, 300s)) {
      EXPECT_GE(event.at, free_at[event.target]) << Name(event.target) << ", seed " << seed;
      free_at[event.target] = event.at + event.lasts;
    }
  }
}

TEST(ScheduleTest, EachDeckHoldsEveryFaultForEachOfItsTargets) {
  std::set<std::pair<Deed, Target>> seen;
  int kills = 0;
  for (const Event& event : MakeSchedule(7, 150s)) {
    seen.emplace(event.deed, event.target);
    kills += event.deed == Deed::kKill ? 1 : 0;
  }
  EXPECT_EQ(seen.size(), 3u * 3 + 4u * 4);
  EXPECT_GE(kills, 6);
}

}  // namespace
}  // namespace ridestream::chaos
