#include "libs/base/sharded_counter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace ridestream {
namespace {

TEST(ShardedCounterTest, LosesNothingThatThreadsAddAtTheSameTime) {
  constexpr int kThreads = 20;  // More than cells, so that some share one.
  constexpr int kAdds = 10'000;
  ShardedCounter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int add = 0; add < kAdds; ++add) counter.Add();
      counter.Add(5);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), std::uint64_t{kThreads} * (kAdds + 5));
}

TEST(ShardedCounterTest, BeginsAtZero) { EXPECT_EQ(ShardedCounter().value(), 0u); }

}  // namespace
}  // namespace ridestream
