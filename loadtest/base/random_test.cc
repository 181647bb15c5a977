#include "loadtest/base/random.h"

#include "gtest/gtest.h"

namespace ridestream::loadtest {
namespace {

TEST(RandomTest, IsSplitMix64) {
  // The reference implementation's first numbers from seed 0.
  Random random(0);
  EXPECT_EQ(random.Next(), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(random.Next(), 0x6e789e6aa1b965f4ULL);
}

TEST(RandomTest, NumberedStreamsDiffer) {
  EXPECT_NE(Random(1, 0).Next(), Random(1, 1).Next());
  EXPECT_NE(Random(1, 0).Next(), Random(2, 0).Next());
  EXPECT_EQ(Random(1, 7).Next(), Random(1, 7).Next());
}

TEST(RandomTest, DrawsHaveTheirMoments) {
  Random random(3);
  constexpr int kDraws = 100'000;
  double gaussian = 0, squares = 0, exponential = 0, unit = 0;
  int hits = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double g = random.Gaussian();
    gaussian += g;
    squares += g * g;
    exponential += static_cast<double>(random.Exponential(std::chrono::seconds(2)).count()) / 1e6;
    unit += random.Between(2.0, 4.0);
    hits += random.Chance(0.3) ? 1 : 0;
    EXPECT_LT(random.Below(10), 10u);
  }
  EXPECT_NEAR(gaussian / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
  EXPECT_NEAR(exponential / kDraws, 2, 0.03);
  EXPECT_NEAR(unit / kDraws, 3, 0.01);
  EXPECT_NEAR(hits / double{kDraws}, 0.3, 0.01);
}

}  // namespace
}  // namespace ridestream::loadtest
