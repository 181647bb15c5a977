#include "loadtest/report/progress.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ridestream::loadtest {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ProgressView View() {
  return {.phase = "load",
          .passed = std::chrono::seconds(12),
          .city_time = ScaledClock::kAnchor + std::chrono::hours(25) + std::chrono::seconds(61),
          .drivers = 200,
          .connected = 198,
          .requested = 40,
          .waiting = 3,
          .assigned = 4,
          .arrived = 5,
          .aboard = 6,
          .completed = 7,
          .cancelled = 8,
          .unserved = 9,
          .positions_per_s = 499.6,
          .offer_p50_ms = 1.25,
          .offer_p99_ms = 9.9};
}

TEST(ProgressTest, LineHasAllFigures) {
  const std::string line = ToLine(View());
  EXPECT_THAT(line, AllOf(HasSubstr("load   12 s  city 01:01:01  drivers 198/200  requests 40"),
                          HasSubstr("waiting 3  assigned 4  arrived 5  aboard 6  completed 7  "
                                    "cancelled 8  unserved 9  positions/s 500"),
                          HasSubstr("p99 9.9 ms")));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

// The block is redrawn by going up as many lines as it has, so it must not break on a terminal of
// 80 columns.
TEST(ProgressTest, BlockHasFiveLinesThatFitATerminal) {
  const std::string block = ToBlock(View());
  EXPECT_EQ(std::count(block.begin(), block.end(), '\n'), 5);
  for (size_t begin = 0; begin < block.size();) {
    const size_t end = block.find('\n', begin);
    EXPECT_LE(end - begin, 80u) << block.substr(begin, end - begin);
    begin = end + 1;
  }
}

TEST(ProgressTest, PrintsALineUnlessProgressIsOff) {
  const ScaledClock clock;
  const Tally tally;
  const auto said_in = [&](ProgressMode mode) {
    char* text = nullptr;
    size_t size = 0;
    std::FILE* const out = open_memstream(&text, &size);
    Progress(mode, out, 1, clock, tally).PrintLine("stopping");
    std::fclose(out);
    std::string said(text, size);
    std::free(text);
    return said;
  };
  EXPECT_EQ(said_in(ProgressMode::kLines), "stopping\n");
  EXPECT_EQ(said_in(ProgressMode::kBlock), "stopping\n");
  EXPECT_EQ(said_in(ProgressMode::kNone), "");
}

}  // namespace
}  // namespace ridestream::loadtest
