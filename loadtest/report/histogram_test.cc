#include "loadtest/report/histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "loadtest/base/random.h"

namespace ridestream::loadtest {
namespace {

TEST(HistogramTest, EmptyIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(HistogramTest, SmallValuesAreExact) {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.Add(i);
  EXPECT_EQ(histogram.Quantile(0.5), 500);
  EXPECT_EQ(histogram.Quantile(0.99), 990);
  EXPECT_EQ(histogram.Quantile(0.999), 999);
  EXPECT_EQ(histogram.Quantile(1), 1000);
  EXPECT_DOUBLE_EQ(histogram.mean(), 500.5);
}

// Compares with the sorted values, over nine orders of magnitude.
TEST(HistogramTest, QuantilesAreTrueToThreeDigits) {
  Random random(7);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<std::int64_t>(std::pow(10, random.Between(0.0, 10.5)));
    values.push_back(value);
    histogram.Add(value);
  }
  std::sort(values.begin(), values.end());
  for (const double quantile : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.Quantile(quantile)), exact, exact / 1000) << quantile;
  }
}

TEST(HistogramTest, ValuesOutOfRangeAreKeptAtItsEnds) {
  Histogram histogram;
  histogram.Add(-5);
  histogram.Add(std::int64_t{1} << 60);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  EXPECT_EQ(histogram.max(), std::int64_t{1} << 60);
  EXPECT_GT(histogram.Quantile(1), std::int64_t{1} << 35);
}

TEST(HistogramTest, MergeEqualsCountingTogether) {
  Random random(11);
  Histogram a, b, both;
  for (int i = 0; i < 5'000; ++i) {
    const auto value = static_cast<std::int64_t>(random.Below(1'000'000));
    (i % 3 == 0 ? a : b).Add(value);
    both.Add(value);
  }
  a.Merge(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.max(), both.max());
  for (const double quantile : {0.01, 0.5, 0.999}) {
    EXPECT_EQ(a.Quantile(quantile), both.Quantile(quantile));
  }
}

}  // namespace
}  // namespace ridestream::loadtest
