#include "services/exporter/domain/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/testing/status_matchers.h"

namespace ridestream::exporter {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr std::chrono::seconds kPatience{60};

trip::v1::TripEvent Event(std::uint64_t sequence, const std::string& trip_id = "t") {
  trip::v1::TripEvent event;
  event.set_sequence(sequence);
  event.mutable_trip()->set_trip_id(trip_id);
  event.mutable_trip()->set_x_request_id("request-" + trip_id);
  return event;
}

/// A topic in memory, whose calls fail when the test says so.
class FakeTopic final : public EventTopic {
 public:
  enum class Fault {
    kNone,
    /// Nothing is written.
    kLost,
    /// All is written, and the answer is lost.
    kAnswerLost,
  };

  absl::StatusOr<Opened> Open() override {
    ++opened;
    if (!open_errors.empty()) {
      absl::Status status = open_errors.front();
      open_errors.pop_front();
      return status;
    }
    return Opened{position, partitions};
  }
  absl::Status Write(const std::vector<Record>& records,
                     const v1::ExportPosition& reached) override {
    Fault fault = Fault::kNone;
    if (!faults.empty()) {
      fault = faults.front();
      faults.pop_front();
    }
    if (fault == Fault::kLost) return absl::UnavailableError("no answer");
    for (const Record& record : records) {
      trip::v1::TripEvent event;
      EXPECT_TRUE(event.ParseFromString(record.value));
      sequences.push_back(event.sequence());
    }
    batches.push_back(records);
    position = reached;
    return fault == Fault::kNone ? absl::OkStatus() : absl::UnavailableError("no answer");
  }

  std::deque<absl::Status> open_errors;
  std::deque<Fault> faults;
  v1::ExportPosition position;
  std::uint32_t partitions = 3;
  int opened = 0;
  std::vector<std::uint64_t> sequences;
  std::vector<std::vector<Record>> batches;
};

/// A log of this many events, all of which are in the queue as soon as it is followed.
class FakeLog final : public EventLog {
 public:
  FakeLog(std::uint64_t last, EventQueue& queue) : last_(last), queue_(queue) {}
  void FollowAfter(std::uint64_t sequence) override {
    followed_after.push_back(sequence);
    for (std::uint64_t i = sequence + 1; i <= last_; ++i) queue_.Add(Event(i));
  }
  void Stop() override {}

  std::vector<std::uint64_t> followed_after;

 private:
  const std::uint64_t last_;
  EventQueue& queue_;
};

class ExporterTest : public ::testing::Test {
 protected:
  ExporterTest() { Restart(); }

  /// A new process on the same topic and log.
  void Restart(std::vector<std::string> markets = {"city"}) {
    queue_ = std::make_unique<EventQueue>();
    log_ = std::make_unique<FakeLog>(5, *queue_);
    exporter_ =
        std::make_unique<Exporter>(Exporter::Options{.markets = std::move(markets),
                                                     .max_batch = 2,
                                                     .idle = std::chrono::nanoseconds::zero(),
                                                     .give_up_after = kPatience},
                                   topic_, *log_, *queue_);
  }
  absl::StatusOr<std::chrono::nanoseconds> Step() { return exporter_->Step(now_); }
  void StepTimes(int times) {
    for (int i = 0; i < times; ++i) ASSERT_THAT(Step(), IsOk());
  }

  FakeTopic topic_;
  Exporter::Instant now_{};
  std::unique_ptr<EventQueue> queue_;
  std::unique_ptr<FakeLog> log_;
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(ExporterTest, WritesTheWholeLogInBatchesToANewTopic) {
  StepTimes(4);
  EXPECT_THAT(topic_.sequences, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(topic_.batches.size(), 3u);
  EXPECT_EQ(topic_.position.sequence(), 5u);
  EXPECT_THAT(topic_.position.markets(), ElementsAre("city"));
  EXPECT_EQ(topic_.position.partitions(), 3u);
  EXPECT_EQ(exporter_->counts().produced, 5u);
  EXPECT_EQ(queue_->size(), 0u);
}

TEST_F(ExporterTest, RecordIsKeyedByTripAndCarriesSequenceAndRequestId) {
  StepTimes(2);
  const Record& record = topic_.batches.at(0).at(1);
  EXPECT_EQ(record.key, "t");
  EXPECT_THAT(record.headers,
              ElementsAre(Pair("sequence", "2"), Pair("x-request-id", "request-t")));
}

TEST_F(ExporterTest, NextProcessContinuesWhereTheTopicEnds) {
  StepTimes(2);
  Restart();
  StepTimes(3);
  EXPECT_THAT(log_->followed_after, ElementsAre(2));
  EXPECT_THAT(topic_.sequences, ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(ExporterTest, LostWriteIsRetried) {
  topic_.faults = {FakeTopic::Fault::kNone, FakeTopic::Fault::kLost};
  StepTimes(6);
  EXPECT_THAT(topic_.sequences, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(topic_.opened, 2);
  EXPECT_EQ(exporter_->counts().failures, 1u);
}

TEST_F(ExporterTest, WriteWhoseAnswerWasLostIsNotRepeated) {
  topic_.faults = {FakeTopic::Fault::kNone, FakeTopic::Fault::kAnswerLost};
  StepTimes(5);
  EXPECT_THAT(log_->followed_after, ElementsAre(0, 4));
  EXPECT_THAT(topic_.sequences, ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(ExporterTest, EventsThatTheLogRepeatsAreNotWrittenAgain) {
  StepTimes(4);
  queue_->Add(Event(4));
  queue_->Add(Event(5));
  queue_->Add(Event(6));
  StepTimes(2);
  EXPECT_THAT(topic_.sequences, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(ExporterTest, BacksOffWithEachFailureAndFinallyGivesUp) {
  topic_.open_errors.assign(100, absl::UnavailableError("no broker answers"));
  std::vector<std::chrono::nanoseconds> pauses;
  absl::Status end;
  while (end.ok()) {
    const auto pause = Step();
    end = pause.status();
    if (!pause.ok()) break;
    pauses.push_back(*pause);
    now_ += *pause;
  }
  EXPECT_EQ(pauses.front(), std::chrono::milliseconds(100));
  EXPECT_EQ(pauses.back(), std::chrono::seconds(5));
  EXPECT_TRUE(std::is_sorted(pauses.begin(), pauses.end()));
  EXPECT_THAT(end, AllOf(StatusIs(absl::StatusCode::kUnavailable, "given up after"),
                         StatusIs(absl::StatusCode::kUnavailable, "no broker answers")));
  EXPECT_GE(now_.time_since_epoch(), kPatience);
  EXPECT_TRUE(topic_.sequences.empty());
}

TEST_F(ExporterTest, GivesUpOnATopicThatOpensAndRefusesEveryWrite) {
  topic_.faults.assign(1'000, FakeTopic::Fault::kLost);
  absl::Status end;
  while (end.ok()) {
    const auto pause = Step();
    end = pause.status();
    if (pause.ok()) now_ += *pause;
    ASSERT_LT(now_.time_since_epoch(), 2 * kPatience);
  }
  EXPECT_THAT(end, StatusIs(absl::StatusCode::kUnavailable, "given up after"));
}

TEST_F(ExporterTest, RetryLimitStartsAgainAfterASuccess) {
  topic_.open_errors = {absl::UnavailableError("away")};
  StepTimes(3);
  now_ += 2 * kPatience;
  topic_.faults = {FakeTopic::Fault::kLost};
  EXPECT_THAT(Step(), IsOk());
}

TEST_F(ExporterTest, EndsWhenAnotherExporterTookTheTopicOver) {
  topic_.open_errors = {absl::AbortedError("another exporter")};
  EXPECT_THAT(Step(), StatusIs(absl::StatusCode::kAborted, "another exporter"));
}

TEST_F(ExporterTest, EndsWhenTheLogCannotBeFollowed) {
  StepTimes(1);
  queue_->Fail(absl::FailedPreconditionError("another log"));
  EXPECT_THAT(Step(), StatusIs(absl::StatusCode::kFailedPrecondition, "another log"));
  EXPECT_TRUE(topic_.sequences.empty());
}

TEST_F(ExporterTest, RefusesOtherMarketsThanTheTopicHolds) {
  StepTimes(2);
  Restart({"city", "porto"});
  EXPECT_THAT(Step(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               "holds the events of the markets city up to sequence 2"));
}

TEST_F(ExporterTest, RefusesATopicWhosePartitionsChanged) {
  StepTimes(2);
  Restart();
  topic_.partitions = 4;
  EXPECT_THAT(Step(), StatusIs(absl::StatusCode::kFailedPrecondition, "had 3 partitions"));
}

TEST(EventQueueTest, RefusesEventsBeyondItsBound) {
  EventQueue queue;
  for (std::size_t i = 1; i <= EventQueue::kMaxEvents; ++i) ASSERT_TRUE(queue.Add(Event(i)));
  EXPECT_FALSE(queue.Add(Event(EventQueue::kMaxEvents + 1)));
  queue.Remove(1);
  EXPECT_TRUE(queue.Add(Event(EventQueue::kMaxEvents + 1)));
}

}  // namespace
}  // namespace ridestream::exporter
