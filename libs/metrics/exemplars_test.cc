#include "libs/metrics/exemplars.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "prometheus/registry.h"

namespace ridestream::metrics {
namespace {

using namespace std::chrono_literals;

TEST(ExemplarsTest, KeepTheNewestOfEachBucket) {
  BucketExemplars exemplars({0.001, 0.01});
  for (std::size_t bucket = 0; bucket < 3; ++bucket) EXPECT_FALSE(exemplars.Find(bucket));
  exemplars.Keep({.trace = {1, 1}, .value = 0.001, .at = {}});  // A bucket includes its bound.
  exemplars.Keep({.trace = {1, 2}, .value = 0.002, .at = {}});
  exemplars.Keep({.trace = {1, 3}, .value = 0.009, .at = {}});
  exemplars.Keep({.trace = {1, 4}, .value = 7, .at = {}});
  EXPECT_EQ(exemplars.Find(0)->trace.low, 1u);
  EXPECT_EQ(exemplars.Find(1)->trace.low, 3u);
  EXPECT_EQ(exemplars.Find(2)->trace.low, 4u);
  EXPECT_FALSE(exemplars.Find(3));
}

TEST(ExemplarsTest, AreBoundedInTheNumberOfHistograms) {
  Exemplars exemplars;
  BucketExemplars* const first = exemplars.Add("seconds", {{"method", "a"}}, {1});
  EXPECT_EQ(exemplars.Add("seconds", {{"method", "a"}}, {1}), first);
  EXPECT_EQ(exemplars.Find("seconds", {{"method", "a"}}), first);
  EXPECT_EQ(exemplars.Find("seconds", {{"method", "b"}}), nullptr);
  for (std::size_t i = 1; i < Exemplars::kMaxHistograms; ++i) {
    EXPECT_NE(exemplars.Add("seconds", {{"method", std::to_string(i)}}, {1}), nullptr);
  }
  EXPECT_EQ(exemplars.Add("seconds", {{"method", "one more"}}, {1}), nullptr);
  EXPECT_EQ(exemplars.Add("seconds", {{"method", "a"}}, {1}), first);
}

TEST(ExemplarsTest, TracedHistogramKeepsThoseWithATrace) {
  prometheus::Registry registry;
  TracedHistogram histogram(
      prometheus::BuildHistogram().Name("traced_seconds").Help("").Register(registry), {}, {1});
  const BucketExemplars* const exemplars = Exemplars::OfProcess().Find("traced_seconds", {});
  ASSERT_NE(exemplars, nullptr);
  histogram.Observe(5ms);
  EXPECT_FALSE(exemplars->Find(0));
  histogram.Observe(6ms, {1, 2});
  ASSERT_TRUE(exemplars->Find(0));
  EXPECT_EQ(exemplars->Find(0)->trace, (tracing::TraceId{1, 2}));
  EXPECT_DOUBLE_EQ(exemplars->Find(0)->value, 0.006);
  EXPECT_EQ(registry.Collect()[0].metric[0].histogram.sample_count, 2u);
}

// For ThreadSanitizer.
TEST(ExemplarsTest, AreKeptAndReadOnManyThreads) {
  BucketExemplars exemplars({1});
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      // Never half of one and half of another.
      const auto found = exemplars.Find(0).value_or(Exemplar{});
      EXPECT_EQ(found.trace.high, found.trace.low);
    }
  });
  std::thread writer([&] {
    for (std::uint64_t i = 1; i <= 10'000; ++i) {
      exemplars.Keep({.trace = {i, i}, .value = 0.5, .at = {}});
    }
  });
  writer.join();
  stop = true;
  reader.join();
  EXPECT_EQ(exemplars.Find(0)->trace.low, 10'000u);
}

}  // namespace
}  // namespace ridestream::metrics
