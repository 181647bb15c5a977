#include "services/trip/handlers/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace ridestream::trip {
namespace {

TEST(WorkerPoolTest, RunsOnePieceOfWorkPerWorker) {
  ThreadExecutor executor;
  WorkerPool pool(executor, 2, 10);
  std::promise<void> first;
  std::promise<void> second;
  // Each waits for the other, so that they run at the same time or never.
  ASSERT_TRUE(pool.TryRun([&] {
    first.set_value();
    second.get_future().wait();
  }));
  ASSERT_TRUE(pool.TryRun([&] {
    first.get_future().wait();
    second.set_value();
  }));
  std::promise<void> third;
  ASSERT_TRUE(pool.TryRun([&] { third.set_value(); }));
  third.get_future().wait();
}

TEST(WorkerPoolTest, RefusesWorkBeyondTheQueue) {
  std::promise<void> under_way;
  std::promise<void> go_on;
  std::promise<void> ran;
  ThreadExecutor executor;
  WorkerPool pool(executor, 1, 1);
  ASSERT_TRUE(pool.TryRun([&] {
    under_way.set_value();
    go_on.get_future().wait();
  }));
  under_way.get_future().wait();
  EXPECT_TRUE(pool.TryRun([&] { ran.set_value(); }));
  EXPECT_FALSE(pool.TryRun([] {}));
  EXPECT_EQ(pool.waiting(), 1u);
  go_on.set_value();
  ran.get_future().wait();
}

/// Runs nothing.
class IdleExecutor final : public Executor {
 public:
  std::unique_ptr<Worker> Start(Worker::Work) override {
    class Idle final : public Worker {
      void Wake() override {}
    };
    return std::make_unique<Idle>();
  }
};

TEST(WorkerPoolTest, DropsQueuedWorkAtItsEnd) {
  IdleExecutor executor;
  const auto held = std::make_shared<int>(1);
  bool ran = false;
  {
    WorkerPool pool(executor, 1, 1);
    ASSERT_TRUE(pool.TryRun([&ran, held] { ran = true; }));
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(ran);
}

TEST(WorkerPoolTest, RunsAllWorkOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kWorksEach = 500;
  ThreadExecutor executor;
  std::atomic<int> left = kThreads * kWorksEach;
  std::promise<void> all;
  WorkerPool pool(executor, 3, kThreads * kWorksEach);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kWorksEach; ++i) {
        ASSERT_TRUE(pool.TryRun([&] {
          if (--left == 0) all.set_value();
        }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  all.get_future().wait();
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace ridestream::trip
