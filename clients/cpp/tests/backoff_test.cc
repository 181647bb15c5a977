#include "clients/cpp/src/backoff.h"

#include <gtest/gtest.h>

namespace ridestream::client {
namespace {

using std::chrono::milliseconds;

TEST(BackoffTest, PausesDoubleUpToEightSecondsAndStartAgainAfterAReset) {
  Backoff backoff(1);
  for (const int limit_ms : {500, 1'000, 2'000, 4'000, 8'000, 8'000}) {
    const auto pause = backoff.Next(std::nullopt);
    EXPECT_EQ(backoff.limit(), milliseconds(limit_ms));
    EXPECT_LE(pause, backoff.limit());
  }
  backoff.Reset();
  backoff.Next(std::nullopt);
  EXPECT_EQ(backoff.limit(), milliseconds(500));
}

TEST(BackoffTest, RequestedPauseIsLengthenedByUpToAQuarterAtRandom) {
  Backoff backoff(1);
  const auto one = backoff.Next(milliseconds(2'000)), other = backoff.Next(milliseconds(2'000));
  for (const auto pause : {one, other}) {
    EXPECT_GE(pause, milliseconds(2'000));
    EXPECT_LE(pause, milliseconds(2'500));
  }
  EXPECT_NE(one, other);
}

}  // namespace
}  // namespace ridestream::client
