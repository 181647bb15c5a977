#include "libs/base/timer_queue.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace ridestream {
namespace {

using namespace std::chrono_literals;

/// Keeps the queue's thread until Go(), so that timers can be set without racing it.
class Held {
 public:
  explicit Held(TimerQueue& timers) {
    timers.After(0ms, [this] { go_.get_future().wait(); });
  }
  void Go() { go_.set_value(); }

 private:
  std::promise<void> go_;
};

TEST(TimerQueueTest, FiresInTheOrderOfTimesNotOfCalls) {
  TimerQueue timers;
  Held held(timers);
  std::vector<int> order;
  std::promise<void> done;
  timers.After(1s, [&] {
    order.push_back(2);
    done.set_value();
  });
  timers.After(1ms, [&] { order.push_back(1); });
  held.Go();
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(TimerQueueTest, CancelledTimersDoNotFire) {
  TimerQueue timers;
  Held held(timers);
  bool fired = false;
  std::promise<void> done;
  timers.Cancel(timers.After(1h, [&] { fired = true; }));
  const auto soon = timers.After(5ms, [&] { fired = true; });
  timers.Cancel(soon);
  timers.After(10ms, [&] { done.set_value(); });
  held.Go();
  done.get_future().wait();
  EXPECT_FALSE(fired);
}

TEST(TimerQueueTest, CancelWaitsForACallUnderWay) {
  TimerQueue timers;
  std::promise<void> begun, may_end;
  bool ended = false;
  const auto handle = timers.After(0ms, [&] {
    begun.set_value();
    may_end.get_future().wait();
    ended = true;
  });
  begun.get_future().wait();
  std::thread other([&] { may_end.set_value(); });
  timers.Cancel(handle);
  EXPECT_TRUE(ended);
  other.join();
}

TEST(TimerQueueTest, ATimerMayCancelItselfAndSetAnother) {
  TimerQueue timers;
  std::promise<void> done;
  TimerQueue::Handle handle = 0;
  std::promise<void> handle_is_set;
  handle = timers.After(0ms, [&] {
    handle_is_set.get_future().wait();
    timers.Cancel(handle);
    timers.After(0ms, [&] { done.set_value(); });
  });
  handle_is_set.set_value();
  done.get_future().wait();
}

}  // namespace
}  // namespace ridestream
