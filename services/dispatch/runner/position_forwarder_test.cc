#include "services/dispatch/runner/position_forwarder.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/testing/manual_timers.h"
#include "services/dispatch/runner/testing/fake_write_stream.h"
#include "services/dispatch/runner/testing/manual_executor.h"

namespace ridestream::dispatch {
namespace {

using Request = PositionForwarder::Request;

class PositionForwarderTest : public ::testing::Test {
 protected:
  void Add(const std::string& driver) {
    forwarder_.Add([&](location::v1::PositionReport& report) { report.set_driver_id(driver); });
  }

  StillClock clock_;
  testing::ManualTimers timers_;
  FakeWire<Request> wire_;
  PositionForwarder forwarder_{clock_, timers_, wire_.Opener(), "city"};
};

TEST_F(PositionForwarderTest, PositionsThatComeWhileABatchIsWrittenMakeTheNextOne) {
  Add("d-1");
  Add("d-2");
  timers_.FireAll();
  for (int i = 3; i <= 7; ++i) Add("d-" + std::to_string(i));
  const auto first = wire_.Take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->market(), "city");
  EXPECT_EQ(first->sent_at_us(),
            static_cast<std::uint64_t>(clock_.Now().time_since_epoch().count()));
  EXPECT_EQ(first->positions_size(), 2);
  const auto second = wire_.Take();
  ASSERT_EQ(second->positions_size(), 5);
  EXPECT_EQ(second->positions(4).driver_id(), "d-7");
  EXPECT_FALSE(wire_.Take());
}

TEST_F(PositionForwarderTest, OldestBatchGoesWhenLocationTakesNone) {
  constexpr std::size_t kAll = PositionForwarder::kBatch * (PositionForwarder::kMaxBatches + 1);
  for (std::size_t i = 0; i < kAll; ++i) Add("d");
  EXPECT_EQ(forwarder_.waiting_batches(), PositionForwarder::kMaxBatches);
  EXPECT_EQ(forwarder_.dropped(), std::uint64_t{PositionForwarder::kBatch});
}

TEST_F(PositionForwarderTest, ContinuesAfterTheStreamBreaks) {
  Add("lost");
  timers_.FireAll();
  wire_.Break();
  Add("kept");
  timers_.FireAll();  // It is opened again.
  timers_.FireAll();  // What waits is sent.
  EXPECT_EQ(wire_.opened(), 2);
  EXPECT_EQ(wire_.Take()->positions(0).driver_id(), "kept");
}

TEST(PositionForwarderThreadsTest, NoPositionIsLostNorDoubledBetweenThreads) {
  constexpr int kThreads = 4;
  constexpr int kOfEach = 5'000;
  StillClock clock;
  TimerQueue timers;
  FakeWire<Request> wire;
  PositionForwarder forwarder(clock, timers, wire.Opener(), "city");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kOfEach; ++i) {
        forwarder.Add([](location::v1::PositionReport& report) { report.set_driver_id("d"); });
      }
    });
  }
  int taken = 0;
  while (taken + static_cast<int>(forwarder.dropped()) < kThreads * kOfEach) {
    if (const auto batch = wire.Take()) taken += batch->positions_size();
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken + static_cast<int>(forwarder.dropped()), kThreads * kOfEach);
}

}  // namespace
}  // namespace ridestream::dispatch
