#include "libs/streams/report_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/testing/manual_timers.h"

namespace ridestream::streams {
namespace {

using std::chrono::milliseconds;

/// Keeps written requests until the test takes them.
struct Wire {
  WriteListener* listener = nullptr;  // Null while no stream is open.
  std::optional<std::string> in_flight;
  int opened = 0;
};

class FakeWriteStream final : public WriteStream<std::string> {
 public:
  FakeWriteStream(WriteListener& listener, Wire& wire) : wire_(wire) {
    wire_ = {&listener, std::nullopt, wire.opened + 1};
  }
  ~FakeWriteStream() override { wire_.listener = nullptr; }
  void Write(const std::string& request) override {
    EXPECT_FALSE(wire_.in_flight);
    wire_.in_flight = request;
  }

 private:
  Wire& wire_;
};

class ReportStreamTest : public ::testing::Test {
 protected:
  void Add(const std::string& what) {
    waiting_.push_back(what);
    stream_.Wake();
  }
  /// Completes the current write successfully and returns what was written.
  std::string Take() {
    const std::string taken = std::exchange(wire_.in_flight, std::nullopt).value_or("nothing");
    if (taken != "nothing") wire_.listener->OnWritten(true);
    return taken;
  }

  testing::ManualTimers timers_;
  Wire wire_;
  std::deque<std::string> waiting_;
  ReportStream<std::string> stream_{timers_,
                                    {.open =
                                         [this](WriteListener& listener) {
                                           return std::make_unique<FakeWriteStream>(listener,
                                                                                    wire_);
                                         },
                                     .fill =
                                         [this](std::string* request) {
                                           if (waiting_.empty()) return false;
                                           *request = waiting_.front();
                                           waiting_.pop_front();
                                           return true;
                                         }}};
};

TEST_F(ReportStreamTest, WritesOneBatchAfterTheOtherOnceTheFirstHasWaited) {
  Add("a");
  Add("b");
  EXPECT_EQ(Take(), "nothing");
  timers_.FireAll();
  EXPECT_EQ(Take(), "a");
  EXPECT_EQ(Take(), "b");
  EXPECT_EQ(Take(), "nothing");
  Add("c");
  timers_.FireAll();
  EXPECT_EQ(Take(), "c");
}

TEST_F(ReportStreamTest, ContinuesAfterTheBatchThatABreakLost) {
  Add("lost");
  Add("kept");
  timers_.FireAll();
  wire_.in_flight.reset();
  wire_.listener->OnWritten(false);
  wire_.listener->OnEnded(absl::UnavailableError("gone"));
  timers_.FireAll();  // The stream is opened again, and waiting data lingers.
  EXPECT_EQ(wire_.opened, 2);
  timers_.FireAll();
  EXPECT_EQ(Take(), "kept");
}

TEST_F(ReportStreamTest, WritesNothingOnAStreamThatEndedWhileItWasIdle) {
  wire_.listener->OnEnded(absl::UnavailableError("gone"));
  Add("kept");
  EXPECT_EQ(timers_.waiting(), 1u) << "only to open it again";
  timers_.FireAll();
  timers_.FireAll();
  EXPECT_EQ(wire_.opened, 2);
  EXPECT_EQ(Take(), "kept");
}

TEST_F(ReportStreamTest, StopEndsTheStreamAndSendsNothingMore) {
  Add("a");
  stream_.Stop();
  EXPECT_EQ(wire_.listener, nullptr);
  EXPECT_EQ(timers_.waiting(), 0u);
  Add("b");
  EXPECT_EQ(timers_.waiting(), 0u);
}

/// Completes writes on its own thread; every fifth fails, and the stream with it.
class ThreadWriteStream final : public WriteStream<int> {
 public:
  ThreadWriteStream(WriteListener& listener, std::atomic<int>& taken)
      : taken_(taken), thread_([this, &listener] { Run(listener); }) {}
  ~ThreadWriteStream() override {
    {
      MutexLock lock(mu_);
      cancelled_ = true;
      changed_.SignalAll();
    }
    thread_.join();
  }
  void Write(const int&) override {
    MutexLock lock(mu_);
    writing_ = true;
    changed_.SignalAll();
  }

 private:
  void Run(WriteListener& listener) {
    for (int written = 0; written < 5; ++written) {
      {
        MutexLock lock(mu_);
        while (!writing_ && !cancelled_) changed_.Wait(mu_);
        if (cancelled_) break;
        writing_ = false;
      }
      ++taken_;
      listener.OnWritten(written < 4);
    }
    listener.OnEnded(absl::UnavailableError("over"));
  }

  std::atomic<int>& taken_;
  Mutex mu_;
  CondVar changed_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

TEST(ReportStreamThreadsTest, StopsInAnyState) {
  TimerQueue timers;
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> taken = 0;
    std::atomic<int> waiting = 0;
    ReportStream<int> stream(timers, {.open =
                                          [&](WriteListener& listener) {
                                            return std::make_unique<ThreadWriteStream>(listener,
                                                                                       taken);
                                          },
                                      .fill =
                                          [&](int*) {
                                            if (waiting == 0) return false;
                                            --waiting;
                                            return true;
                                          },
                                      .linger = std::chrono::microseconds(0),
                                      .reopen_after = milliseconds(0)});
    while (taken < 7 + round) {
      ++waiting;
      stream.Wake();
      std::this_thread::yield();
    }
    stream.Stop();
    const int before = taken;
    std::this_thread::yield();
    EXPECT_EQ(taken, before);
  }
}

}  // namespace
}  // namespace ridestream::streams
