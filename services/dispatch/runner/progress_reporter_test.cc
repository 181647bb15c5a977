#include "services/dispatch/runner/progress_reporter.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/testing/manual_timers.h"
#include "services/dispatch/runner/testing/fake_write_stream.h"

namespace ridestream::dispatch {
namespace {

trip::v1::TripProgress ProgressOf(const std::string& trip, int arrives_at_s) {
  trip::v1::TripProgress progress;
  progress.set_trip_id(trip);
  progress.mutable_progress()->mutable_arrives_at()->set_seconds(arrives_at_s);
  return progress;
}

TEST(ProgressReporterTest, LatestOfATripReplacesTheOlder) {
  testing::ManualTimers timers;
  FakeWire<ProgressReporter::Request> wire;
  ProgressReporter reporter(timers, wire.Opener());
  reporter.Report(ProgressOf("t-1", 1));
  reporter.Report(ProgressOf("t-2", 2));
  reporter.Report(ProgressOf("t-1", 3));
  timers.FireAll();
  const auto request = wire.Take();
  ASSERT_TRUE(request);
  ASSERT_EQ(request->trips_size(), 2);
  EXPECT_EQ(request->trips(0).trip_id(), "t-1");
  EXPECT_EQ(request->trips(0).progress().arrives_at().seconds(), 3);
  EXPECT_FALSE(wire.Take());
  reporter.Report(ProgressOf("t-2", 4));
  timers.FireAll();
  EXPECT_EQ(wire.Take()->trips_size(), 1);
}

TEST(ProgressReporterTest, EachTripGetsItsTurnThoughTripIsSlow) {
  constexpr int kTrips = 10'000;  // More than two batches.
  testing::ManualTimers timers;
  FakeWire<ProgressReporter::Request> wire;
  ProgressReporter reporter(timers, wire.Opener());
  std::set<std::string> arrived;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kTrips; ++i) reporter.Report(ProgressOf(std::to_string(i), round));
    timers.FireAll();
    const auto request = wire.Take();
    ASSERT_TRUE(request);
    for (const auto& entry : request->trips()) arrived.insert(entry.trip_id());
  }
  EXPECT_EQ(arrived.size(), static_cast<std::size_t>(kTrips));
}

TEST(ProgressReporterTest, NewestOfEachTripArrivesWhateverThreadsReport) {
  constexpr int kTrips = 4;
  constexpr int kLast = 2'000;
  TimerQueue timers;
  FakeWire<ProgressReporter::Request> wire;
  ProgressReporter reporter(timers, wire.Opener());
  std::vector<std::thread> threads;
  for (int t = 0; t < kTrips; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 1; i <= kLast; ++i) reporter.Report(ProgressOf(std::to_string(t), i));
    });
  }
  std::vector<std::int64_t> newest(kTrips);
  int through = 0;
  while (through < kTrips) {
    const auto request = wire.Take();
    if (!request) {
      std::this_thread::yield();
      continue;
    }
    for (const auto& entry : request->trips()) {
      std::int64_t& before = newest[static_cast<std::size_t>(std::stoi(entry.trip_id()))];
      const std::int64_t now = entry.progress().arrives_at().seconds();
      EXPECT_GT(now, before);
      before = now;
      through += now == kLast ? 1 : 0;
    }
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ridestream::dispatch
