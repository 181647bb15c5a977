#include "services/dispatch/runner/market_loop.h"

#include <gtest/gtest.h>

#include <thread>
#include <variant>

#include "services/dispatch/runner/testing/manual_executor.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

Event Connected(const std::string& driver) {
  DriverConnected event{DriverId(driver), 1, false, {}};
  event.hello.set_seats(4);
  return event;
}

/// Notes what it sees.
class Onlooker final : public MarketLoop::Observer {
 public:
  void Handling(const Event& event, Time) override {
    (std::holds_alternative<Wake>(event) ? wakes : others) += 1;
  }
  void Decided(const std::vector<Decision>& made) override {
    decisions += static_cast<int>(made.size());
  }
  void Handled(const Event&, std::chrono::nanoseconds) override { ++handled; }

  int wakes = 0;
  int others = 0;
  int handled = 0;
  int decisions = 0;
};

class MarketLoopTest : public ::testing::Test {
 protected:
  static MarketConfig Config() {
    MarketConfig config;
    config.market = MarketId("city");
    return config;
  }
  static trip::v1::TripEvent Requested(Time now) {
    trip::v1::TripEvent event;
    event.set_sequence(1);
    event.mutable_trip()->set_trip_id("t-1");
    event.mutable_trip()->set_market("city");
    event.mutable_trip()->set_version(1);
    event.mutable_trip()->set_state(trip::v1::TRIP_STATE_REQUESTED);
    event.mutable_trip()->mutable_requested_at()->set_seconds(
        std::chrono::duration_cast<seconds>(now.time_since_epoch()).count());
    return event;
  }

  StillClock clock_;
  ManualExecutor executor_;
  Onlooker onlooker_;
  std::vector<Decision> carried_out_;
  MarketLoop loop_{Config(), clock_, executor_, onlooker_,
                   [this](Decision decision) { carried_out_.push_back(std::move(decision)); }};
};

TEST_F(MarketLoopTest, EventWakesTheWorkerAndItsDecisionsAreCarriedOutInTheirOrder) {
  loop_.Start();
  EXPECT_TRUE(loop_.Post(Connected("d-1")));
  EXPECT_EQ(executor_.wakes(), 1);
  loop_.PostAlways(Connected("d-2"));
  EXPECT_EQ(executor_.wakes(), 1) << "it hasn't taken the first yet";
  EXPECT_EQ(loop_.events().size(), 2u);
  executor_.RunAll();
  EXPECT_EQ(loop_.events().size(), 0u);
  EXPECT_EQ(onlooker_.others, 2);
  EXPECT_EQ(onlooker_.handled, onlooker_.others + onlooker_.wakes);
  EXPECT_EQ(onlooker_.decisions, static_cast<int>(carried_out_.size()));
  std::vector<DriverId> welcomed;
  for (const Decision& decision : carried_out_) {
    if (const auto* welcome = std::get_if<SendWelcome>(&decision)) {
      welcomed.push_back(welcome->driver);
    }
  }
  EXPECT_EQ(welcomed, (std::vector{DriverId("d-1"), DriverId("d-2")}));
}

TEST_F(MarketLoopTest, EventFromBeforeTheStartIsNotForgotten) {
  EXPECT_TRUE(loop_.Post(Connected("d-1")));
  loop_.Start();
  EXPECT_EQ(executor_.wakes(), 1);
}

TEST_F(MarketLoopTest, WorkerAsksForTheTimeOfTheNextTimer) {
  loop_.Start();
  EXPECT_EQ(executor_.RunOnce(), std::nullopt);
  loop_.PostAlways(LogCaughtUp{});
  loop_.PostAlways(TripLogged{Requested(clock_.Now())});
  auto pause = executor_.RunOnce();
  while (pause && pause->count() == 0) pause = executor_.RunOnce();
  ASSERT_TRUE(pause.has_value());
  EXPECT_GT(pause->count(), 0);
  const int wakes = onlooker_.wakes;
  clock_.Advance(std::chrono::ceil<Duration>(*pause));
  (void)executor_.RunOnce();
  EXPECT_GT(onlooker_.wakes, wakes);
}

TEST_F(MarketLoopTest, TimersThatAreDueGoOffBeforeTheNextEvent) {
  loop_.Start();
  loop_.PostAlways(LogCaughtUp{});
  loop_.PostAlways(TripLogged{Requested(clock_.Now())});
  executor_.RunAll();
  clock_.Advance(std::chrono::hours(1));
  carried_out_.clear();
  loop_.PostAlways(Connected("d-1"));
  (void)executor_.RunOnce();
  ASSERT_GE(carried_out_.size(), 2u);
  EXPECT_FALSE(std::holds_alternative<SendWelcome>(carried_out_.front()));
}

TEST_F(MarketLoopTest, StoppedLoopWakesNoThread) {
  loop_.Start();
  loop_.Stop();
  loop_.PostAlways(Connected("d-1"));
  EXPECT_EQ(executor_.wakes(), 0);
  EXPECT_EQ(loop_.events().size(), 1u);
}

TEST(EventQueueTest, RefusesPositionsOverHalfAndOthersOverItsBound) {
  EventQueue queue;
  while (queue.Offer(DriverMoved{})) {
  }
  EXPECT_EQ(queue.size(), EventQueue::kMax / 2);
  while (queue.Offer(LogCaughtUp{})) {
  }
  EXPECT_EQ(queue.size(), EventQueue::kMax);
  EXPECT_EQ(queue.refused(), 2u);
  queue.Answer(LogCaughtUp{});
  EXPECT_EQ(queue.TakeAll().size(), EventQueue::kMax + 1);
}

TEST(MarketLoopThreadsTest, EventsOfManyThreadsAreHandledOnceEach) {
  constexpr int kThreads = 4;
  constexpr int kEvents = 500;
  const StillClock clock;
  ThreadExecutor executor;
  Onlooker onlooker;
  MarketConfig config;
  config.market = MarketId("city");
  MarketLoop loop(config, clock, executor, onlooker, [](const Decision&) {});
  loop.Start();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEvents; ++i) {
        while (!loop.Post(DriverHeard{DriverId("nobody")})) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (loop.events().size() > 0) std::this_thread::yield();
  loop.Stop();
  EXPECT_EQ(onlooker.others, kThreads * kEvents);
}

}  // namespace
}  // namespace ridestream::dispatch
