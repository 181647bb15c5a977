// The stream on a transport whose reads the test completes, and on a transport with its own thread.

#include "libs/server_streams/pull_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "libs/server_streams/testing/sending_client.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::streams {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::ElementsAre;
using Adding = PullStream<int, int>;
using Client = testing::SendingClient<int, int>;

/// Adds up the numbers that are sent; rejects negative ones.
struct Adder {
  absl::StatusOr<int> operator()(int message) {
    if (message < 0) return absl::InvalidArgumentError("negative");
    return sum += message;
  }
  int sum = 0;
};

/// Records what the stream requests; the test completes the reads.
class ReadTransport final : public StreamReader<int> {
 public:
  void StartRead() override { ++reads_; }
  void Finish(const absl::Status& status, const int& response) override {
    finished_.push_back(status.code());
    response_ = response;
  }

  int reads_ = 0;
  std::vector<absl::StatusCode> finished_;
  int response_ = 0;
};

class PullStreamTest : public ::testing::Test {
 protected:
  ReadTransport transport_;
  Adding* done_ = nullptr;
  Adding stream_{transport_,
                 {.on_message = Adder(), .on_done = [this](Adding* stream) { done_ = stream; }}};
};

TEST_F(PullStreamTest, ReadsOneMessageAfterAnotherAndEndsWithTheResponse) {
  stream_.Begin();
  EXPECT_EQ(transport_.reads_, 1);
  stream_.OnRead(2);
  stream_.OnRead(3);
  EXPECT_EQ(transport_.reads_, 3);
  stream_.OnReadsEnded();
  EXPECT_THAT(transport_.finished_, ElementsAre(absl::StatusCode::kOk));
  EXPECT_EQ(transport_.response_, 5);
  EXPECT_EQ(done_, nullptr);
  stream_.OnDone();
  EXPECT_EQ(done_, &stream_);
}

TEST_F(PullStreamTest, EndsWithTheStatusOfAMessageThatIsRefused) {
  stream_.Begin();
  stream_.OnRead(2);
  stream_.OnRead(-1);
  EXPECT_THAT(transport_.finished_, ElementsAre(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(transport_.response_, 2) << "so far";
  EXPECT_EQ(transport_.reads_, 2);
}

TEST_F(PullStreamTest, ReadsNothingMoreOnceItIsClosed) {
  stream_.Begin();
  stream_.OnRead(2);
  stream_.Close(absl::UnavailableError("draining"));
  stream_.OnRead(3);
  stream_.OnReadsEnded();
  stream_.OnCancelled();
  EXPECT_THAT(transport_.finished_, ElementsAre(absl::StatusCode::kUnavailable));
  EXPECT_EQ(transport_.response_, 2);
  EXPECT_EQ(transport_.reads_, 2);
}

TEST_F(PullStreamTest, ReadsNothingWhenItIsClosedBeforeItBegins) {
  stream_.Close(absl::UnavailableError("draining"));
  stream_.Begin();
  EXPECT_EQ(transport_.reads_, 0);
}

TEST(PullStreamThreadsTest, EndsOnceWhenSeveralThreadsEndIt) {
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    Client client;
    const auto stream = std::make_shared<Adding>(client, Adding::Options{.on_message = Adder()});
    stream->Begin();
    for (int i = 0; i < 4; ++i) client.Send(1);
    client.HalfClose();
    client.Attach(stream);
    std::thread closer([&] { stream->Close(absl::UnavailableError("draining")); });
    std::thread canceller([&] { client.Cancel(); });
    const Client::End end = client.AwaitEnd();
    closer.join();
    canceller.join();
    EXPECT_LE(end.response, 4);
    if (end.status.ok()) {
      EXPECT_EQ(end.response, 4) << "all that was sent";
    }
  }
}

TEST(PullStreamThreadsTest, ReadsEverythingThatIsSent) {
  Client client;
  const auto stream = std::make_shared<Adding>(client, Adding::Options{.on_message = Adder()});
  client.Attach(stream);
  stream->Begin();
  for (int i = 0; i < 1'000; ++i) client.Send(1);
  client.HalfClose();
  const Client::End end = client.AwaitEnd();
  EXPECT_THAT(end.status, IsOk());
  EXPECT_EQ(end.response, 1'000);
}

TEST(PullStreamThreadsTest, RefusesOnTheTransportsThread) {
  Client client;
  const auto stream = std::make_shared<Adding>(client, Adding::Options{.on_message = Adder()});
  client.Attach(stream);
  stream->Begin();
  client.Send(-1);
  EXPECT_THAT(client.AwaitEnd().status, StatusIs(absl::StatusCode::kInvalidArgument, "negative"));
}

}  // namespace
}  // namespace ridestream::streams
