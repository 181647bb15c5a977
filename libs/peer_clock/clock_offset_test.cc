#include "libs/peer_clock/clock_offset.h"

#include <gtest/gtest.h>

#include <limits>

namespace ridestream {
namespace {

using namespace std::chrono_literals;

constexpr Time kAsked = ScaledClock::kAnchor;

/// A reading whose round trip took `took`, with the peer's clock ahead by `ahead` in the middle of
/// it.
ClockReading Reading(Duration ahead, Duration took = 2ms, double peer_rate = 1) {
  return {kAsked, kAsked + took, kAsked + took / 2 + ahead, peer_rate};
}

TEST(ClockOffsetTest, ReportsHowWellTwoClocksAgree) {
  struct Case {
    const char* name;
    double rate;
    ClockReading reading;
    Duration ahead;
    ClockVerdict verdict;
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const Case& c : {
           Case{"equal", 1, Reading(0s), 0s, ClockVerdict::kAgree},
           {"less apart than the answer's error", 1, Reading(1ms), 0s, ClockVerdict::kAgree},
           {"ahead, tolerably", 1, Reading(2s), 2s, ClockVerdict::kAgree},
           {"ahead", 1, Reading(2s + 1us), 2s + 1us, ClockVerdict::kDiffer},
           {"behind, tolerably", 1, Reading(-2s), -2s, ClockVerdict::kAgree},
           {"behind", 1, Reading(-45s), -45s, ClockVerdict::kDiffer},
           {"just usable", 1, Reading(-1h), -1h, ClockVerdict::kDiffer},
           {"too far ahead", 1, Reading(1h + 1us), 1h + 1us, ClockVerdict::kUnusable},
           {"a slow answer proves nothing", 1, Reading(4s, 10s), 0s, ClockVerdict::kAgree},
           {"a slow answer can prove much", 1, Reading(45s, 10s), 45s, ClockVerdict::kDiffer},
           {"the same rate", 10, Reading(0s, 2ms, 10.0000001), 0s, ClockVerdict::kAgree},
           {"another rate", 10, Reading(0s), 0s, ClockVerdict::kUnusable},
           {"no rate", 1, Reading(0s, 2ms, 0), 0s, ClockVerdict::kUnusable},
           {"no number", 1, Reading(0s, 2ms, kNan), 0s, ClockVerdict::kUnusable},
       }) {
    ClockOffset offset(c.rate);
    offset.Add(c.reading);
    EXPECT_EQ(offset.ahead(), c.ahead) << c.name;
    EXPECT_EQ(offset.verdict(), c.verdict) << c.name;
  }
}

TEST(ClockOffsetTest, KeepsTheOffsetWhileReadingsAgreeWithIt) {
  ClockOffset offset(1);
  offset.Add(Reading(45s, 2ms));
  offset.Add(Reading(45s + 900us, 2ms));
  EXPECT_EQ(offset.ahead(), 45s);
  offset.Add(Reading(30s, 40s));
  EXPECT_EQ(offset.ahead(), 45s) << "the answer took so long that it may still be 45 s";
  offset.Add(Reading(46s, 2ms));
  EXPECT_EQ(offset.ahead(), 46s);
  offset.Add(Reading(0s, 2ms));
  EXPECT_EQ(offset.verdict(), ClockVerdict::kAgree);
}

}  // namespace
}  // namespace ridestream
