// The stream on a transport whose writes the test completes, and on a transport with its own
// thread.

#include "libs/server_streams/push_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace ridestream::streams {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Stream = PushStream<int>;

/// Records what is written; the test completes the writes.
class FakeTransport final : public StreamWriter<int> {
 public:
  void Write(const int& message) override { written_.push_back(message); }
  void Finish(const absl::Status& status) override { finished_.push_back(status.code()); }

  std::vector<int> written_;
  std::vector<absl::StatusCode> finished_;
};

class PushStreamTest : public ::testing::Test {
 protected:
  FakeTransport transport_;
  int drained_ = 0;
  Stream stream_{transport_, {.max_queue = 2, .on_drained = [this] { ++drained_; }}};
};

TEST_F(PushStreamTest, WritesOneMessageAtATimeInOrder) {
  stream_.Push(1);
  stream_.Push(2);
  EXPECT_THAT(transport_.written_, ElementsAre(1));
  stream_.OnWritten(true);
  EXPECT_THAT(transport_.written_, ElementsAre(1, 2));
  EXPECT_EQ(drained_, 0);
  stream_.OnWritten(true);
  EXPECT_EQ(drained_, 1);
}

TEST_F(PushStreamTest, LatestMessageReplacesTheUnsentOneAndFollowsTheQueue) {
  stream_.Push(1);
  stream_.Replace(10);
  stream_.Replace(11);
  stream_.Push(2);
  for (int i = 0; i < 3; ++i) stream_.OnWritten(true);
  EXPECT_THAT(transport_.written_, ElementsAre(1, 2, 11));
}

TEST_F(PushStreamTest, ClosesAfterSendingTheQueue) {
  stream_.Push(1);
  stream_.Push(2);
  stream_.Close(absl::OkStatus());
  stream_.Push(3);
  stream_.OnWritten(true);
  EXPECT_THAT(transport_.finished_, IsEmpty());
  stream_.OnWritten(true);
  EXPECT_THAT(transport_.written_, ElementsAre(1, 2));
  EXPECT_THAT(transport_.finished_, ElementsAre(absl::StatusCode::kOk));
}

TEST_F(PushStreamTest, EndsWithResourceExhaustedWhenTheQueueIsFull) {
  for (int i = 1; i <= 4; ++i) stream_.Push(i);
  EXPECT_THAT(transport_.finished_, IsEmpty()) << "a write is under way";
  stream_.OnWritten(true);
  EXPECT_THAT(transport_.written_, ElementsAre(1));
  EXPECT_THAT(transport_.finished_, ElementsAre(absl::StatusCode::kResourceExhausted));
}

TEST_F(PushStreamTest, DropsTheQueueWhenAWriteFailsOrTheClientDisconnects) {
  stream_.Push(1);
  stream_.Push(2);
  stream_.OnCancelled();
  EXPECT_THAT(transport_.finished_, IsEmpty()) << "a write is under way";
  stream_.OnWritten(false);
  EXPECT_THAT(transport_.written_, ElementsAre(1));
  EXPECT_THAT(transport_.finished_, ElementsAre(absl::StatusCode::kCancelled));
  EXPECT_EQ(drained_, 0);
}

/// Completes each write on its own thread, as a real transport does.
class ThreadTransport final : public StreamWriter<int> {
 public:
  ~ThreadTransport() {
    if (thread_.joinable()) thread_.join();
  }
  void Start(Stream& stream) {
    thread_ = std::thread([this, &stream] {
      for (;;) {
        {
          MutexLock lock(mu_);
          while (!writing_ && !finished_) changed_.Wait(mu_);
          if (!writing_) return;
          writing_ = false;
        }
        stream.OnWritten(true);
      }
    });
  }
  void Write(const int& message) override {
    MutexLock lock(mu_);
    ASSERT_FALSE(writing_) << "two writes at a time";
    written_.push_back(message);
    writing_ = true;
    changed_.Signal();
  }
  void Finish(const absl::Status&) override {
    MutexLock lock(mu_);
    finished_ = true;
    changed_.Signal();
  }
  std::vector<int> Join() {
    thread_.join();
    MutexLock lock(mu_);
    return written_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<int> written_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

TEST(PushStreamThreadsTest, LosesNothingThatManyThreadsPush) {
  constexpr int kThreads = 4;
  constexpr int kMessagesEach = 1'000;
  ThreadTransport transport;
  Stream stream(transport, {.max_queue = kThreads * kMessagesEach});
  transport.Start(stream);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kMessagesEach; ++i) stream.Push(thread * kMessagesEach + i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  stream.Close(absl::OkStatus());
  const std::vector<int> written = transport.Join();
  ASSERT_EQ(written.size(), static_cast<size_t>(kThreads * kMessagesEach));
  std::vector<int> next(kThreads, 0);  // Each thread's messages arrive in order.
  for (const int message : written) {
    EXPECT_EQ(message % kMessagesEach, next[static_cast<size_t>(message / kMessagesEach)]++);
  }
}

}  // namespace
}  // namespace ridestream::streams
