#include "libs/streams/follow_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/testing/manual_timers.h"

namespace ridestream::streams {
namespace {

using std::chrono::milliseconds;
using Listener = ReadListener<std::string>;

/// Records which listener waits for messages, and clears it when destroyed.
class FakeReadStream final : public ReadStream {
 public:
  FakeReadStream(Listener& listener, Listener*& open) : open_(open) { open_ = &listener; }
  ~FakeReadStream() override { open_ = nullptr; }

 private:
  Listener*& open_;
};

class FollowStreamTest : public ::testing::Test {
 protected:
  FollowStream<std::string>::Options Options() {
    return {.open =
                [this](Listener& listener) {
                  ++opened_;
                  return std::make_unique<FakeReadStream>(listener, open_);
                },
            .on_message =
                [this](std::string& message) {
                  taken_.push_back(message);
                  return message != "too much";
                },
            .on_end =
                [this](const absl::Status& status, bool is_news) {
                  ends_.push_back(status);
                  news_.push_back(is_news);
                }};
  }
  /// Ends the stream with `status` and opens it again. Returns the pause in between.
  std::chrono::nanoseconds EndWith(const absl::Status& status) {
    open_->OnEnded(status);
    const auto pause = timers_.last_delay();
    timers_.FireAll();
    return pause;
  }
  bool Send(std::string message) { return open_->OnMessage(message); }

  testing::ManualTimers timers_;
  Listener* open_ = nullptr;
  int opened_ = 0;
  std::vector<std::string> taken_;
  std::vector<absl::Status> ends_;
  std::vector<bool> news_;
};

TEST_F(FollowStreamTest, OpensAgainAfterAPauseWhenTheStreamEnds) {
  FollowStream<std::string> stream(timers_, Options());
  EXPECT_TRUE(Send("a"));
  EXPECT_FALSE(Send("too much")) << "the transport cancels";
  open_->OnEnded(absl::CancelledError("not taken"));
  EXPECT_EQ(opened_, 1);
  timers_.FireAll();
  EXPECT_EQ(opened_, 2);
  EXPECT_TRUE(Send("b"));
  EXPECT_EQ(taken_, (std::vector<std::string>{"a", "too much", "b"}));
  EXPECT_EQ(ends_, (std::vector<absl::Status>{absl::CancelledError("not taken")}));
}

TEST_F(FollowStreamTest, PausesGrowToTheirBoundWhileThePeerRefusesTheStream) {
  FollowStream<std::string> stream(timers_, Options());
  milliseconds most(200);
  for (int i = 0; i < 12; ++i) {
    const auto pause = EndWith(absl::FailedPreconditionError("not served here"));
    EXPECT_LE(pause, most);
    EXPECT_GE(pause, most * 3 / 4);
    most = std::min(2 * most, milliseconds(30'000));
  }
  EXPECT_TRUE(Send("a"));
  EXPECT_EQ(EndWith(absl::FailedPreconditionError("not served here")), milliseconds(200));
}

TEST_F(FollowStreamTest, PausesStayShortWhileThePeerIsAwayOrItsMessagesAreNotTaken) {
  FollowStream<std::string> stream(timers_, Options());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(EndWith(absl::UnavailableError("away")), milliseconds(200));
    EXPECT_FALSE(Send("too much"));
    EXPECT_EQ(EndWith(absl::CancelledError("not taken")), milliseconds(200));
  }
}

TEST_F(FollowStreamTest, ReportsAnEndOnceUntilItsCodeChangesOrAMessageArrives) {
  FollowStream<std::string> stream(timers_, Options());
  EndWith(absl::UnavailableError("away"));
  EndWith(absl::UnavailableError("away since 0.2 s"));
  EndWith(absl::FailedPreconditionError("not served here"));
  EndWith(absl::FailedPreconditionError("not served here"));
  Send("a");
  EndWith(absl::FailedPreconditionError("not served here"));
  EXPECT_EQ(news_, (std::vector<bool>{true, false, true, false, true}));
}

TEST_F(FollowStreamTest, StopEndsTheStreamAndOpensNoOther) {
  FollowStream<std::string> stream(timers_, Options());
  open_->OnEnded(absl::UnavailableError("gone"));
  stream.Stop();
  EXPECT_EQ(open_, nullptr);
  EXPECT_EQ(timers_.waiting(), 0u);
  EXPECT_EQ(opened_, 1);
}

/// Sends messages on its own thread until it has sent ten or is destroyed.
class ThreadReadStream final : public ReadStream {
 public:
  explicit ThreadReadStream(Listener& listener) : thread_([this, &listener] { Run(listener); }) {}
  ~ThreadReadStream() override {
    cancelled_ = true;
    thread_.join();
  }

 private:
  void Run(Listener& listener) {
    for (int i = 0; i < 10 && !cancelled_; ++i) {
      std::string message = std::to_string(i);
      if (!listener.OnMessage(message)) break;
    }
    listener.OnEnded(absl::UnavailableError("over"));
  }

  std::atomic<bool> cancelled_ = false;
  std::thread thread_;
};

TEST(FollowStreamThreadsTest, StopsInAnyState) {
  TimerQueue timers;
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> messages = 0;
    FollowStream<std::string> stream(
        timers,
        {.open = [](Listener& listener) { return std::make_unique<ThreadReadStream>(listener); },
         .on_message = [&](std::string&) { return ++messages > 0; },
         .reopen_after = milliseconds(0)});
    while (messages < 15 + round) std::this_thread::yield();
    stream.Stop();
    const int before = messages;
    std::this_thread::yield();
    EXPECT_EQ(messages, before);
  }
}

}  // namespace
}  // namespace ridestream::streams
