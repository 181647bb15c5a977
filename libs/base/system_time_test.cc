#include "libs/base/system_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "libs/base/clock.h"

namespace ridestream {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// Clocks that the test sets.
class FakeTimeSource final : public TimeSource {
 public:
  SystemTime System() const override { return ScaledClock::kAnchor + nanoseconds(system_ns_); }
  std::int64_t SteadyNs() const override { return steady_ns_; }
  void Pass(nanoseconds time) {
    system_ns_ += time.count();
    steady_ns_ += time.count();
  }
  void Step(nanoseconds by) { system_ns_ += by.count(); }

 private:
  std::atomic<std::int64_t> system_ns_ = 0;
  std::atomic<std::int64_t> steady_ns_ = 1'000'000'000'000;
};

class FollowedTimeTest : public ::testing::Test {
 protected:
  nanoseconds Ahead() const { return time_.Now() - source_.System(); }

  FakeTimeSource source_;
  const FollowedTime time_{source_};
};

TEST_F(FollowedTimeTest, IsTheSystemsTimeWhileNothingIsStepped) {
  for (int i = 0; i < 100; ++i) {
    source_.Pass(77ms);
    EXPECT_EQ(Ahead(), 0ns);
  }
}

TEST_F(FollowedTimeTest, FollowsAStepWithinItsBoundsAndNeverGoesBack) {
  struct Case {
    const char* name;
    nanoseconds step;
    nanoseconds agrees_within;
  };
  for (const Case& c :
       {Case{"a little forwards", 10ms, 2s}, Case{"a little backwards", -10ms, 2s},
        Case{"forwards", 45s, 47s}, Case{"backwards", -45s, 92s},
        Case{"forwards, just not too far", 60s, 62s},
        Case{"forwards, too far to be driven", 8h, 1s}, Case{"an hour backwards", -1h, 2h + 2s}}) {
    SCOPED_TRACE(c.name);
    FakeTimeSource source;
    const FollowedTime time(source);
    source.Step(c.step);
    TimeSource::SystemTime last = time.Now();
    constexpr nanoseconds kTick = 10ms;
    for (nanoseconds passed{}; passed < c.agrees_within; passed += kTick) {
      source.Pass(kTick);
      const TimeSource::SystemTime now = time.Now();
      const nanoseconds went = now - last;
      last = now;
      ASSERT_GE(went, kTick / 2 - 1us) << "after " << passed / 1ms << " ms";
      const bool jumped = std::abs(went / 1ns - c.step / 1ns) <= (kTick + 1us) / 1ns;
      if (c.step > FollowedTime::kJump && jumped) continue;
      ASSERT_LE(went, 2 * kTick + 1us) << "after " << passed / 1ms << " ms";
    }
    EXPECT_LT(std::chrono::abs(last - source.System()), 10us);
  }
}

TEST_F(FollowedTimeTest, FollowsAnUnobservedStep) {
  source_.Step(-30s);
  source_.Pass(10h);
  EXPECT_EQ(Ahead(), 30s) << "no reading has compared the clocks yet";
  source_.Pass(61s);
  (void)time_.Now();
  for (int i = 0; i < 62; ++i) {
    source_.Pass(1s);
    (void)time_.Now();
  }
  EXPECT_LT(std::chrono::abs(Ahead()), 1us);
}

TEST_F(FollowedTimeTest, AgreesBetweenThreads) {
  constexpr int kReadings = 200'000;
  std::atomic<bool> done = false;
  std::thread stepper([&] {
    for (int i = 0; !done; ++i) {
      source_.Pass(100ms);
      source_.Step(i % 2 == 0 ? 3s : -2s);
    }
  });
  // The latest time that any thread has read. Later readings must not be earlier.
  std::atomic<std::int64_t> latest = 0;
  std::vector<std::thread> readers;
  std::atomic<int> went_back = 0;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] {
      for (int i = 0; i < kReadings; ++i) {
        const std::int64_t before = latest.load();
        const std::int64_t now = time_.Now().time_since_epoch().count();
        if (now < before) ++went_back;
        std::int64_t known = latest.load();
        while (known < now && !latest.compare_exchange_weak(known, now)) {
        }
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  done = true;
  stepper.join();
  EXPECT_EQ(went_back, 0);
}

TEST(ScaledClockTest, FollowsAStepMultipliedByItsRate) {
  FakeTimeSource source;
  const ScaledClock clock(10, source);
  const Time start = clock.Now();
  source.Step(6s);
  for (int i = 0; i < 8; ++i) {
    source.Pass(1s);
    (void)clock.Now();
  }
  EXPECT_LT(std::chrono::abs(clock.Now() - start - 140s), 1ms);
}

}  // namespace
}  // namespace ridestream
