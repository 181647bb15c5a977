#include "services/dispatch/drive/offer_times.h"

#include <gtest/gtest.h>

namespace ridestream::dispatch {
namespace {

using std::chrono::milliseconds;

TEST(OfferTimes, IsEmptyBeforeTheFirstAck) {
  const OfferTimes::Summary summary = OfferTimes().Summarize();
  EXPECT_EQ(summary.acked, 0U);
  EXPECT_EQ(summary.p50.count(), 0);
  EXPECT_EQ(summary.p99.count(), 0);
}

TEST(OfferTimes, ReportsTheMedianAndTheNinetyNinthPercentile) {
  OfferTimes times;
  for (int ms = 200; ms > 0; --ms) times.Acked(milliseconds(ms));
  const OfferTimes::Summary summary = times.Summarize();
  EXPECT_EQ(summary.acked, 200U);
  EXPECT_EQ(summary.p50, milliseconds(101));
  EXPECT_EQ(summary.p99, milliseconds(199));
}

TEST(OfferTimes, CountsThoseWithinTenMilliseconds) {
  OfferTimes times;
  times.Acked(milliseconds(3));
  times.Acked(milliseconds(10));
  times.Acked(milliseconds(10) + std::chrono::nanoseconds(1));
  EXPECT_EQ(times.Summarize().in_time, 2U);
}

TEST(OfferTimes, KeepsTheLastThousand) {
  OfferTimes times;
  for (int i = 0; i < 1'000; ++i) times.Acked(milliseconds(900));
  for (int i = 0; i < 999; ++i) times.Acked(milliseconds(1));
  EXPECT_EQ(times.Summarize().p99, milliseconds(1));
  times.Acked(milliseconds(2));
  const OfferTimes::Summary summary = times.Summarize();
  EXPECT_EQ(summary.acked, 2'000U);
  EXPECT_EQ(summary.p50, milliseconds(1));
}

}  // namespace
}  // namespace ridestream::dispatch
