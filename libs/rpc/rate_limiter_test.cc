#include "libs/rpc/rate_limiter.h"

#include <gtest/gtest.h>

#include <string>

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;

const RateLimiter::Wall::time_point kStart{1h};

TEST(RateLimiterTest, ABurstAndThenTheRate) {
  RateLimiter limiter({.per_s = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take("a", kStart), std::nullopt);
  EXPECT_EQ(limiter.Take("a", kStart), 100ms);
  EXPECT_EQ(limiter.Take("a", kStart + 60ms), 40ms);
  EXPECT_EQ(limiter.Take("a", kStart + 100ms), std::nullopt);
  EXPECT_EQ(limiter.Take("a", kStart + 100ms), 100ms);
  // A long pause earns no more than the burst.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take("a", kStart + 1h), std::nullopt);
  EXPECT_NE(limiter.Take("a", kStart + 1h), std::nullopt);
}

TEST(RateLimiterTest, EachNameHasItsOwnBucket) {
  RateLimiter limiter({.per_s = 1, .burst = 1});
  EXPECT_EQ(limiter.Take("a", kStart), std::nullopt);
  EXPECT_NE(limiter.Take("a", kStart), std::nullopt);
  EXPECT_EQ(limiter.Take("b", kStart), std::nullopt);
}

TEST(RateLimiterTest, OlderTimeTakesNothingAway) {
  RateLimiter limiter({.per_s = 1, .burst = 2});
  EXPECT_EQ(limiter.Take("a", kStart + 1s), std::nullopt);
  EXPECT_EQ(limiter.Take("a", kStart), std::nullopt);
  EXPECT_EQ(limiter.Take("a", kStart + 1s), 1s);
}

TEST(RateLimiterTest, NoRateIsNoLimit) {
  RateLimiter limiter({.per_s = 0});
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(limiter.Take("a", kStart), std::nullopt);
  EXPECT_EQ(limiter.names(), 0u);
}

TEST(RateLimiterTest, QuietCallerIsForgotten) {
  RateLimiter limiter({.per_s = 10, .burst = 1});
  for (int i = 0; i < 100'000; ++i) {
    EXPECT_EQ(limiter.Take(std::to_string(i), kStart + i * 1ms), std::nullopt);
  }
  EXPECT_LE(limiter.names(), 1'024u) << "within 100 ms, when each bucket is full again, 100 came";
}

TEST(RateLimiterTest, MoreNamesThanCanBeRememberedAreRefused) {
  RateLimiter limiter({.per_s = 1, .burst = 1, .max_names = 10});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(limiter.Take(std::to_string(i), kStart), std::nullopt);
  }
  EXPECT_NE(limiter.Take("one more", kStart), std::nullopt);
  EXPECT_EQ(limiter.Take("one more", kStart + 1s), std::nullopt);
}

}  // namespace
}  // namespace ridestream::rpc
