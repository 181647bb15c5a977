// The logic of the driver's stream and the registry of sessions over a transport that the test
// moves: who writes when, how a stream ends, and who finds room. With gRPC beneath: rpc/.

#include "services/dispatch/drive/drive_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/rpc/retry_after.h"
#include "libs/testing/manual_timers.h"
#include "libs/testing/status_matchers.h"
#include "services/dispatch/drive/session_registry.h"
#include "services/dispatch/drive/testing/fake_call.h"

namespace ridestream::dispatch {
namespace {

using testing::StatusIs;
using namespace std::chrono_literals;

/// Records the events that a market gets, and the reported positions.
class Listener final : public EventSink, public PositionSink {
 public:
  bool Post(Event event) override {
    PostAlways(std::move(event));
    return true;
  }
  void PostAlways(Event event) override {
    MutexLock lock(mu_);
    events_.push_back(std::move(event));
  }
  void Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) override {
    MutexLock lock(mu_);
    fill(last_report_);
    ++reports_;
  }
  /// The next event of that kind; those before it are thrown away.
  template <class T>
  std::optional<T> Next() {
    MutexLock lock(mu_);
    while (!events_.empty()) {
      const Event event = std::move(events_.front());
      events_.pop_front();
      if (const T* wanted = std::get_if<T>(&event)) return *wanted;
    }
    return std::nullopt;
  }
  int reports() {
    MutexLock lock(mu_);
    return reports_;
  }

 private:
  Mutex mu_;
  std::deque<Event> events_ ABSL_GUARDED_BY(mu_);
  location::v1::PositionReport last_report_ ABSL_GUARDED_BY(mu_);
  int reports_ ABSL_GUARDED_BY(mu_) = 0;
};

/// Keeps the versions of the plans that drivers acked.
class AckedPlans final : public AckListener {
 public:
  void OnAck(const DriverId&, const v1::DriveResponse& push) override {
    MutexLock lock(mu_);
    versions_.push_back(push.plan().version());
  }
  std::vector<std::uint64_t> versions() {
    MutexLock lock(mu_);
    return versions_;
  }

 private:
  Mutex mu_;
  std::vector<std::uint64_t> versions_ ABSL_GUARDED_BY(mu_);
};

v1::DriveResponse PlanOf(std::uint64_t version) {
  v1::DriveResponse message;
  message.mutable_plan()->set_version(version);
  return message;
}

class DriveStreamLogicTest : public ::testing::Test {
 protected:
  /// Opens a stream, and welcomes as the market would.
  void Connect(FakeCall& call, const std::string& driver,
               const std::string& address = "ipv4:192.0.2.1") {
    ASSERT_THAT(call.Open(registry_, driver, address), testing::IsOk());
    ASSERT_TRUE(call.SendHello());
    const auto connected = market_.Next<DriverConnected>();
    ASSERT_TRUE(connected);
    registry_.Find(DriverId(driver))->Welcome(connected->epoch, {});
    const auto welcome = call.Take();
    ASSERT_TRUE(welcome && welcome->has_welcome());
  }
  /// A second passes.
  void Tick() {
    clock_.Advance(1s);
    timers_.FireAll();
  }

  ManualClock clock_;
  testing::ManualTimers timers_;
  Listener market_;
  OfferTimes offer_times_;
  AckedPlans acked_;
  SessionRegistry registry_{
      {.session = {.max_unacked = 4}, .max_sessions = 3, .max_sessions_per_address = 2, .seed = 1},
      clock_,
      timers_,
      [this](const MarketId&) -> SessionRegistry::MarketPorts {
        return {&market_, &market_, &offer_times_, /*area=*/nullptr, &acked_};
      }};
};

TEST_F(DriveStreamLogicTest, WritesOneMessageAtATimeInTheirOrder) {
  FakeCall call;
  Connect(call, "d-1");
  for (std::uint64_t version = 1; version <= 3; ++version) {
    registry_.Find(DriverId("d-1"))->Push(PlanOf(version));
  }
  for (std::uint64_t version = 1; version <= 3; ++version) {
    EXPECT_EQ(call.Take()->plan().version(), version);
  }
  EXPECT_FALSE(call.writing());
  call.Break();
  call.Done();
}

TEST_F(DriveStreamLogicTest, ReportsPushesThatAResumptionAcks) {
  FakeCall first;
  Connect(first, "d-1");
  const auto session = registry_.Find(DriverId("d-1"));
  session->Push(PlanOf(1));
  session->Push(PlanOf(2));
  while (first.Take()) {
  }
  first.Break();
  first.Done();
  EXPECT_TRUE(acked_.versions().empty());
  FakeCall second;
  ASSERT_THAT(second.Open(registry_, "d-1"), testing::IsOk());
  v1::DriveRequest request;
  request.mutable_hello()->set_market("city");
  request.mutable_hello()->set_seats(4);
  request.mutable_hello()->mutable_resume()->set_session_id(session->id().str());
  request.mutable_hello()->mutable_resume()->set_last_sequence(1);
  ASSERT_TRUE(second.Send(request));
  EXPECT_EQ(acked_.versions(), std::vector<std::uint64_t>{1});
  second.Break();
  second.Done();
}

TEST_F(DriveStreamLogicTest, EndsOnlyAfterTheWriteInFlight) {
  FakeCall call;
  Connect(call, "d-1");
  registry_.Find(DriverId("d-1"))->Push(PlanOf(1));
  registry_.Find(DriverId("d-1"))->Push(PlanOf(2));
  call.stream().End(absl::AbortedError("enough"));
  EXPECT_FALSE(call.finished());
  EXPECT_EQ(call.Take()->plan().version(), 1u);
  EXPECT_THAT(*call.finished(), StatusIs(absl::StatusCode::kAborted, "enough"));
  call.Done();
  EXPECT_EQ(registry_.streams(), 0u);
  EXPECT_TRUE(market_.Next<DriverDisconnected>());
}

TEST_F(DriveStreamLogicTest, CutsADriverThatReadsNothing) {
  FakeCall call;
  Connect(call, "d-1");
  for (std::uint64_t version = 1; version <= 5; ++version) {
    registry_.Find(DriverId("d-1"))->Push(PlanOf(version));
  }
  // The session is void, and the end waits for a write that nobody takes.
  for (int second = 0; second < 10; ++second) {
    Tick();
    EXPECT_FALSE(call.cancelled()) << second;
  }
  Tick();
  EXPECT_TRUE(call.cancelled());
  call.Break();
  EXPECT_THAT(*call.finished(), StatusIs(absl::StatusCode::kResourceExhausted, "unacked"));
  call.Done();
  EXPECT_EQ(registry_.streams(), 0u);
}

TEST_F(DriveStreamLogicTest, LateEndOfAFencedStreamLeavesTheNewerOneAlone) {
  FakeCall older;
  Connect(older, "d-1");
  FakeCall newer;
  Connect(newer, "d-1");
  EXPECT_THAT(*older.finished(), StatusIs(absl::StatusCode::kAborted, "newer session"));
  EXPECT_TRUE(older.SendPosition(1)) << "it was on its way";
  EXPECT_EQ(market_.reports(), 0);
  older.Done();
  EXPECT_FALSE(market_.Next<DriverDisconnected>());
  registry_.Find(DriverId("d-1"))->Push(PlanOf(1));
  EXPECT_EQ(newer.Take()->plan().version(), 1u);
  newer.Break();
  newer.Done();
  EXPECT_EQ(market_.Next<DriverDisconnected>()->epoch, 2u);
}

TEST_F(DriveStreamLogicTest, StreamThatBreaksDuringItsHelloConnectsNoDriver) {
  FakeCall call;
  ASSERT_THAT(call.Open(registry_, "d-1"), testing::IsOk());
  call.Break();
  EXPECT_TRUE(call.SendHello()) << "it was read before";
  EXPECT_TRUE(market_.Next<DriverDisconnected>());
  call.Done();
  EXPECT_FALSE(registry_.Find(DriverId("d-1"))->Describe().connected());
}

TEST_F(DriveStreamLogicTest, GoodbyeIsTheLastMessageAndNoStreamFollows) {
  FakeCall idle;
  Connect(idle, "d-1");
  FakeCall busy;
  Connect(busy, "d-2");
  registry_.Find(DriverId("d-2"))->Push(PlanOf(1));
  registry_.Find(DriverId("d-2"))->Push(PlanOf(2));
  registry_.Drain();
  EXPECT_TRUE(idle.Take()->has_goodbye());
  EXPECT_TRUE(busy.Take()->has_plan());
  EXPECT_TRUE(busy.Take()->has_goodbye());
  for (FakeCall* call : {&idle, &busy}) {
    EXPECT_THAT(*call->finished(), StatusIs(absl::StatusCode::kUnavailable, "draining"));
    call->Done();
  }
  EXPECT_THAT(FakeCall().Open(registry_, "d-3"),
              StatusIs(absl::StatusCode::kUnavailable, "draining"));
}

TEST_F(DriveStreamLogicTest, DrainCutsADriverThatReadsNothing) {
  FakeCall call;
  Connect(call, "d-1");
  registry_.Find(DriverId("d-1"))->Push(PlanOf(1));
  registry_.Drain();
  for (int second = 0; second <= 10; ++second) Tick();
  EXPECT_TRUE(call.cancelled());
  call.Break();
  call.Done();
  EXPECT_EQ(registry_.streams(), 0u);
}

TEST_F(DriveStreamLogicTest, StreamWithoutHelloIsClosedInTime) {
  FakeCall call;
  ASSERT_THAT(call.Open(registry_, "d-1"), testing::IsOk());
  for (int second = 0; second < 10; ++second) {
    EXPECT_FALSE(call.finished()) << second;
    Tick();
  }
  EXPECT_THAT(*call.finished(), StatusIs(absl::StatusCode::kDeadlineExceeded, "hello"));
  call.Done();
}

TEST_F(DriveStreamLogicTest, DriverBeyondTheLimitReplacesAnAbsentOne) {
  FakeCall one;
  FakeCall two;
  FakeCall three;
  Connect(one, "d-1", "ipv4:192.0.2.1");
  Connect(two, "d-2", "ipv4:192.0.2.1");
  Connect(three, "d-3", "ipv4:192.0.2.2");
  for (FakeCall* call : {&one, &two, &three}) call->SendPosition(1);
  const auto refused = [this](const std::string& address) {
    FakeCall call;
    EXPECT_THAT(call.Open(registry_, "d-4", address), testing::IsOk());
    EXPECT_FALSE(call.SendHello());
    call.Done();
    return *call.finished();
  };
  EXPECT_THAT(refused("ipv4:192.0.2.3"),
              StatusIs(absl::StatusCode::kResourceExhausted, "3 sessions are held"));
  EXPECT_THAT(refused("ipv4:192.0.2.1"),
              StatusIs(absl::StatusCode::kResourceExhausted, "2 sessions are held of ipv4"));
  EXPECT_EQ(rpc::RetryAfterOf(refused("ipv4:192.0.2.3")), 5s);

  two.Break();
  two.Done();
  FakeCall four;
  Connect(four, "d-4", "ipv4:192.0.2.3");
  EXPECT_EQ(market_.Next<SessionDropped>(), std::nullopt)
      << "the drop was reported before the Hello";
  EXPECT_EQ(registry_.Find(DriverId("d-2")), nullptr);
  EXPECT_EQ(registry_.counters().value(SessionCounter::kEvicted), 1u);
  EXPECT_EQ(registry_.counters().value(SessionCounter::kRefused), 3u);
  for (FakeCall* call : {&one, &three, &four}) {
    call->Break();
    call->Done();
  }
}

TEST_F(DriveStreamLogicTest, StreamsAreLimitedToTwiceTheSessions) {
  std::vector<FakeCall> calls(7);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_THAT(calls[i].Open(registry_, "d-1", i < 4 ? "a" : "b"), testing::IsOk());
  }
  EXPECT_THAT(calls[6].Open(registry_, "d-1", "c"),
              StatusIs(absl::StatusCode::kResourceExhausted, "6 streams are open"));
  calls[5].Break();
  calls[5].Done();
  EXPECT_THAT(calls[5].Open(registry_, "d-1", "a"),
              StatusIs(absl::StatusCode::kResourceExhausted, "4 streams are open from a"));
  for (std::size_t i = 0; i < 5; ++i) {
    calls[i].Break();
    calls[i].Done();
  }
}

TEST(DriveStreamThreadsTest, HandlesDriversMarketAndDrainConcurrently) {
  constexpr int kDrivers = 4;
  constexpr std::uint64_t kStreams = 200;
  ManualClock clock;
  TimerQueue timers;  // Ticks each millisecond.
  Listener market;
  OfferTimes offer_times;
  SessionRegistry registry({.session = {.max_unacked = 4}, .seed = 1}, clock, timers,
                           [&](const MarketId&) -> SessionRegistry::MarketPorts {
                             return {&market, &market, &offer_times};
                           });
  std::atomic<bool> stop = false;
  std::thread decisions([&] {
    for (std::uint64_t version = 1; !stop; ++version) {
      while (const auto connected = market.Next<DriverConnected>()) {
        registry.Find(connected->driver)->Welcome(connected->epoch, {});
      }
      for (int i = 0; i < kDrivers; ++i) {
        const auto session = registry.Find(DriverId("d-" + std::to_string(i)));
        if (session != nullptr) session->Push(PlanOf(version));
      }
      (void)registry.Survey(MarketId("city"));
      clock.Advance(10ms);
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> drivers;
  for (int i = 0; i < kDrivers; ++i) {
    drivers.emplace_back([&, name = "d-" + std::to_string(i)] {
      while (true) {
        FakeCall call;
        if (!call.Open(registry, name).ok()) return;  // It drains.
        call.SendHello();
        // Reads on one thread and takes on another, as a transport does.
        std::thread reader([&] {
          std::uint64_t sequence = 0;
          while (!call.finished()) {
            call.SendPosition(++sequence);
            std::this_thread::yield();
          }
        });
        for (int taken = 0; !call.finished();) {
          if (call.Take() && ++taken == 3) call.Break();
          std::this_thread::yield();
        }
        reader.join();
        call.Done();
      }
    });
  }
  while (registry.counters().value(SessionCounter::kBegun) < kStreams) std::this_thread::yield();
  registry.Drain();
  for (std::thread& driver : drivers) driver.join();
  stop = true;
  decisions.join();
  EXPECT_EQ(registry.streams(), 0u);
}

}  // namespace
}  // namespace ridestream::dispatch
