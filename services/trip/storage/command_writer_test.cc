// The writer over a committer whose batches end when and how the test says. Runs under TSan: the
// worker, the committer's end and the callers are threads of their own.

#include "services/trip/storage/command_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <set>
#include <string>
#include <thread>

#include "libs/testing/status_matchers.h"
#include "services/trip/storage/local_publisher.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::SizeIs;

std::string IdOf(const Work& work) {
  if (const auto* quote = std::get_if<QuoteWork>(&work)) return quote->quote.id.str();
  return std::get<GiveUpCommand>(std::get<TripWork>(work).command).trip_id.str();
}

/// Keeps each batch until the test ends it. Thread-safe.
class HeldCommitter final : public BatchCommitter {
 public:
  void Commit(Batch batch, Done done) override {
    MutexLock lock(mu_);
    std::vector<std::string> ids;
    for (const Work& work : batch) ids.push_back(IdOf(work));
    batches_.push_back(std::move(ids));
    held_.emplace(Held{std::move(batch), std::move(done)});
    changed_.SignalAll();
  }

  /// Waits for a batch; the ids of its works.
  std::vector<std::string> AwaitBatch() {
    MutexLock lock(mu_);
    while (!held_) changed_.Wait(mu_);
    return batches_.back();
  }
  /// Waits for a batch and ends it on this thread, giving its commands events from `sequence` on.
  void End(const absl::Status& status = absl::OkStatus(), bool refused = false) {
    (void)AwaitBatch();
    std::optional<Held> held;
    {
      MutexLock lock(mu_);
      held.swap(held_);
    }
    for (Work& work : held->batch) {
      auto* trip = std::get_if<TripWork>(&work);
      if (trip == nullptr) continue;
      auto event = std::make_shared<v1::TripEvent>();
      event->set_sequence(++sequence_);
      event->mutable_trip()->set_trip_id(IdOf(work));
      trip->outcome = {std::make_shared<v1::Trip>(event->trip()), event};
    }
    held->done({std::move(held->batch), status, refused});
  }

 private:
  struct Held {
    Batch batch;
    Done done;
  };
  Mutex mu_;
  CondVar changed_;
  std::optional<Held> held_ ABSL_GUARDED_BY(mu_);
  std::vector<std::vector<std::string>> batches_ ABSL_GUARDED_BY(mu_);
  std::uint64_t sequence_ = 0;  // Used by the thread that calls End.
};

class CommandWriterTest : public ::testing::Test {
 protected:
  CommandWriter::Options Options() {
    return {.executor = executor_,
            .committer = committer_,
            .acknowledge = [this](Batch batch) { publisher_.Publish(std::move(batch)); },
            .on_commit = [this](size_t commands, auto) { committed_ += commands; },
            .on_failure = [this](const absl::Status&, size_t commands) { failed_ += commands; }};
  }
  void Start(CommandWriter::Options options) {
    writer_ = std::make_unique<CommandWriter>(std::move(options));
  }
  void Submit(const std::string& trip) {
    writer_->Submit(
        GiveUpCommand{TripId(trip)},
        [this, trip](const absl::StatusOr<TripPtr>& answer) { Answer(trip, answer.status()); },
        TripStore::kNoDeadline);
  }
  void SaveQuote(const std::string& id) {
    writer_->SaveQuote(
        testing::SampleQuote(id, "r", ScaledClock::kAnchor),
        [this, id](const absl::Status& status) { Answer(id, status); }, TripStore::kNoDeadline);
  }
  void Answer(const std::string& id, const absl::Status& status) {
    MutexLock lock(mu_);
    answers_.push_back(id + (status.ok() ? "" : " " + absl::StatusCodeToString(status.code())));
    statuses_[id] = status;
  }
  std::vector<std::string> answers() {
    MutexLock lock(mu_);
    return answers_;
  }

  ThreadExecutor executor_;
  HeldCommitter committer_;
  std::vector<std::string> published_;
  LocalPublisher publisher_{0, [this](const std::vector<EventPtr>& events) {
                              for (const EventPtr& event : events) {
                                published_.push_back(event->trip().trip_id());
                                EXPECT_EQ(publisher_.last_sequence(), events.back()->sequence());
                                EXPECT_EQ(statuses_.count(event->trip().trip_id()), 0u)
                                    << "answered before its event was published";
                              }
                            }};
  size_t committed_ = 0;
  size_t failed_ = 0;
  Mutex mu_;
  std::vector<std::string> answers_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, absl::Status> statuses_;
  std::unique_ptr<CommandWriter> writer_;
};

TEST_F(CommandWriterTest, AnswersInOrderOnlyWhenTheBatchIsDurable) {
  Start(Options());
  Submit("a");
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("a"));
  EXPECT_THAT(answers(), SizeIs(0));
  committer_.End();
  EXPECT_THAT(answers(), ElementsAre("a"));
  EXPECT_THAT(published_, ElementsAre("a"));
  EXPECT_EQ(committed_, 1u);
}

TEST_F(CommandWriterTest, TakesAllCommandsThatArrivedDuringTheEarlierBatch) {
  Start(Options());
  Submit("a");
  (void)committer_.AwaitBatch();
  Submit("b");
  SaveQuote("q");
  Submit("c");
  EXPECT_EQ(writer_->waiting(), 3u);
  committer_.End();
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("b", "q", "c"));
  EXPECT_EQ(writer_->waiting(), 0u);
  committer_.End();
  EXPECT_THAT(answers(), ElementsAre("a", "b", "q", "c"));
  EXPECT_THAT(published_, ElementsAre("a", "b", "c"));
}

TEST_F(CommandWriterTest, TakesNoMoreCommandsThanABatchMayHold) {
  CommandWriter::Options options = Options();
  options.max_batch = 2;
  Start(std::move(options));
  Submit("a");
  (void)committer_.AwaitBatch();
  for (const char* id : {"b", "c", "d"}) Submit(id);
  committer_.End();
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("b", "c"));
  committer_.End();
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("d"));
  committer_.End();
}

TEST_F(CommandWriterTest, RefusesCommandsBeyondTheQueue) {
  CommandWriter::Options options = Options();
  options.max_queue = 1;
  Start(std::move(options));
  Submit("a");
  (void)committer_.AwaitBatch();
  Submit("b");
  Submit("c");
  EXPECT_THAT(answers(), ElementsAre("c RESOURCE_EXHAUSTED"));
  committer_.End();
  committer_.End();
  EXPECT_THAT(answers(), ElementsAre("c RESOURCE_EXHAUSTED", "a", "b"));
}

TEST_F(CommandWriterTest, FailsTheWholeBatchWhenTheDiskFails) {
  Start(Options());
  Submit("a");
  (void)committer_.AwaitBatch();
  Submit("b");
  Submit("c");
  committer_.End();
  committer_.End(absl::UnavailableError("disk I/O error"));
  EXPECT_THAT(answers(), ElementsAre("a", "b UNAVAILABLE", "c UNAVAILABLE"));
  EXPECT_THAT(statuses_["b"], StatusIs(absl::StatusCode::kUnavailable, "the trip wasn't written"));
  EXPECT_THAT(published_, ElementsAre("a"));
  EXPECT_EQ(failed_, 2u);
  Submit("d");
  committer_.End();
  EXPECT_THAT(statuses_["d"], IsOk());
}

TEST_F(CommandWriterTest, CommitsEachCommandAloneWhenOneFailsTheBatch) {
  Start(Options());
  Submit("a");
  (void)committer_.AwaitBatch();
  for (const char* id : {"b", "bad", "c"}) Submit(id);
  committer_.End();
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("b", "bad", "c"));
  Submit("later");
  const absl::Status refusal = absl::InternalError("constraint failed");
  committer_.End(refusal, /*refused=*/true);
  EXPECT_THAT(answers(), ElementsAre("a"));
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("b"));
  committer_.End();
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("bad"));
  committer_.End(refusal, /*refused=*/true);
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("c"));
  committer_.End();
  EXPECT_THAT(committer_.AwaitBatch(), ElementsAre("later"));
  committer_.End();
  EXPECT_THAT(answers(), ElementsAre("a", "b", "bad INTERNAL", "c", "later"));
  EXPECT_EQ(failed_, 1u);
}

TEST_F(CommandWriterTest, CloseWaitsForAllSubmittedCommands) {
  Start(Options());
  Submit("a");
  (void)committer_.AwaitBatch();
  Submit("b");
  std::thread closing([&] {
    writer_->Close();
    EXPECT_THAT(answers(), ElementsAre("a", "b"));
  });
  committer_.End();
  committer_.End();
  closing.join();
}

TEST_F(CommandWriterTest, DropsQueuedCommandsWhenDestroyedWithoutAClose) {
  Start(Options());
  Submit("a");
  (void)committer_.AwaitBatch();
  Submit("b");
  writer_.reset();
  EXPECT_THAT(answers(), SizeIs(0));
}

/// Commits at once, on the writer's thread.
class InstantCommitter final : public BatchCommitter {
 public:
  void Commit(Batch batch, Done done) override {
    for (const Work& work : batch) order_.push_back(IdOf(work));
    largest_ = std::max(largest_, batch.size());
    for (Work& work : batch) {
      std::get<TripWork>(work).outcome = {std::make_shared<v1::Trip>()};
    }
    done({std::move(batch), absl::OkStatus()});
  }
  std::vector<std::string> order_;  // Of the writer's thread.
  size_t largest_ = 0;
};

TEST(CommandWriterThreadsTest, AnswersManyThreadsOnceEachInCommitOrder) {
  constexpr int kThreads = 4;
  constexpr int kCommandsEach = 500;
  ThreadExecutor executor;
  InstantCommitter committer;
  std::vector<std::string> answered;  // Of the writer's thread, and ours after Close.
  CommandWriter writer({.executor = executor,
                        .committer = committer,
                        .acknowledge =
                            [](Batch batch) {
                              for (Work& work : batch) Complete(work);
                            },
                        .max_batch = 16});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kCommandsEach; ++i) {
        const std::string id = std::to_string(thread) + "-" + std::to_string(i);
        writer.Submit(
            GiveUpCommand{TripId(id)},
            [&answered, id](const absl::StatusOr<TripPtr>& trip) {
              EXPECT_THAT(trip, IsOk());
              answered.push_back(id);
            },
            TripStore::kNoDeadline);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  writer.Close();
  EXPECT_EQ(answered.size(), static_cast<size_t>(kThreads * kCommandsEach));
  EXPECT_EQ(std::set(answered.begin(), answered.end()).size(), answered.size());
  EXPECT_EQ(answered, committer.order_);
  EXPECT_LE(committer.largest_, 16u);
}

}  // namespace
}  // namespace ridestream::trip
