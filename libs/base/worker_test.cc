#include "libs/base/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace ridestream {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

TEST(ThreadWorkerTest, WorkRunsAtOnceAndAgainWhileItAsksForIt) {
  std::promise<void> third;
  int pieces = 0;
  const auto worker = ThreadExecutor().Start([&]() -> std::optional<nanoseconds> {
    if (++pieces < 3) return nanoseconds(0);
    third.set_value();
    return std::nullopt;
  });
  third.get_future().wait();
  EXPECT_EQ(pieces, 3);
}

TEST(ThreadWorkerTest, WakeEndsAPause) {
  std::promise<void> first;
  std::promise<void> second;
  int pieces = 0;
  const auto worker = ThreadExecutor().Start([&]() -> std::optional<nanoseconds> {
    ++pieces;
    if (pieces == 1) first.set_value();
    if (pieces == 2) second.set_value();
    return hours(1);
  });
  first.get_future().wait();
  worker->Wake();
  second.get_future().wait();
}

TEST(ThreadWorkerTest, WakeDuringAPieceLeadsToAnother) {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::promise<void> second;
  int pieces = 0;
  const auto worker = ThreadExecutor().Start([&]() -> std::optional<nanoseconds> {
    if (++pieces == 1) {
      begun.set_value();
      go_on.get_future().wait();
    } else if (pieces == 2) {
      second.set_value();
    }
    return std::nullopt;
  });
  begun.get_future().wait();
  worker->Wake();
  go_on.set_value();
  second.get_future().wait();
}

TEST(ThreadWorkerTest, EndingWaitsForThePieceUnderWay) {
  std::promise<void> begun;
  std::atomic<bool> ended = false;
  auto worker = ThreadExecutor().Start([&]() -> std::optional<nanoseconds> {
    begun.set_value();
    for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
    ended = true;
    return hours(1);
  });
  begun.get_future().wait();
  worker.reset();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace ridestream
