#include "services/dispatch/record/record_queue.h"

#include <gtest/gtest.h>

#include "libs/testing/captured_log.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/dispatch/record/event_recorder.h"
#include "services/dispatch/record/record_reader.h"
#include "services/dispatch/runner/testing/manual_executor.h"

namespace ridestream::dispatch {
namespace {

using ridestream::testing::IsOk;

std::string BatchAt(std::int64_t at) {
  std::string batch;
  record::Record record;
  record.mutable_entry()->set_at(at);
  AppendDelimited(record, batch);
  return batch;
}

class RecordQueueTest : public ::testing::Test {
 protected:
  void Start(std::uint64_t limit = std::uint64_t{1} << 30) {
    record::Header header;
    header.set_market("city");
    auto file = RecordFile::Create(folder_.path(), header, limit);
    ASSERT_THAT(file, IsOk());
    path_ = (*file)->path();
    queue_ = std::make_unique<RecordQueue>("city", *std::move(file), executor_);
  }
  /// Entries as their time, gaps as minus their events.
  std::vector<std::int64_t> Read() {
    std::vector<std::int64_t> all;
    const auto reader = RecordReader::Open(path_);
    EXPECT_THAT(reader, IsOk());
    while (reader.ok()) {
      const auto record = (*reader)->Next();
      EXPECT_THAT(record, IsOk());
      if (!record.ok() || !*record) break;
      all.push_back((*record)->has_gap() ? -static_cast<std::int64_t>((*record)->gap().events())
                                         : (*record)->entry().at());
    }
    return all;
  }

  const testing::TempFolder folder_;
  ManualExecutor executor_;
  std::string path_;
  std::unique_ptr<RecordQueue> queue_;
};

TEST_F(RecordQueueTest, WritesOnItsWorkerAlone) {
  Start();
  const int wakes = executor_.wakes();
  EXPECT_TRUE(queue_->Offer(BatchAt(1), 1));
  EXPECT_EQ(executor_.wakes(), wakes + 1);
  EXPECT_EQ(queue_->written(), 0u);
  executor_.RunAll();
  EXPECT_EQ(queue_->written(), 1u);
  EXPECT_EQ(Read(), (std::vector<std::int64_t>{1}));
}

TEST_F(RecordQueueTest, DropsEntriesWhenFullAndMarksTheGap) {
  Start();
  constexpr auto kMax = static_cast<std::int64_t>(RecordQueue::kMaxBatches);
  for (std::int64_t at = 1; at <= kMax; ++at) EXPECT_TRUE(queue_->Offer(BatchAt(at), 1));
  EXPECT_FALSE(queue_->Offer(BatchAt(1'000), 5));
  EXPECT_FALSE(queue_->Offer(BatchAt(1'001), 2));
  EXPECT_EQ(queue_->dropped(), 7u);
  executor_.RunAll();
  EXPECT_TRUE(queue_->Offer(BatchAt(2'000), 1));
  executor_.RunAll();
  EXPECT_EQ(queue_->written(), RecordQueue::kMaxBatches + 1);
  const std::vector<std::int64_t> all = Read();
  ASSERT_EQ(all.size(), RecordQueue::kMaxBatches + 2);
  EXPECT_EQ(all[RecordQueue::kMaxBatches], -7);
  EXPECT_EQ(all.back(), 2'000);
}

TEST_F(RecordQueueTest, WritesQueuedEntriesBeforeItEnds) {
  Start();
  for (std::size_t i = 0; i <= RecordQueue::kMaxBatches; ++i) queue_->Offer(BatchAt(1), 1);
  queue_.reset();
  const std::vector<std::int64_t> all = Read();
  EXPECT_EQ(all.size(), RecordQueue::kMaxBatches + 1);
  EXPECT_EQ(all.back(), -1);
}

TEST_F(RecordQueueTest, StopsWritingAFileAfterAnError) {
  const testing::CapturedLog log;
  Start(/*limit=*/100);  // The header fits.
  std::string large;
  for (std::int64_t at = 1; at < 1'000; ++at) large += BatchAt(at * at * at);
  queue_->Offer(large, 999);
  queue_->Offer(BatchAt(1), 1);
  executor_.RunAll();
  EXPECT_FALSE(queue_->Offer(BatchAt(2), 1));
  EXPECT_EQ(queue_->written(), 0u);
  EXPECT_EQ(queue_->dropped(), 1'001u);
  EXPECT_NE(log.text().find("record_ended"), std::string::npos);
  queue_.reset();
  EXPECT_EQ(Read(), std::vector<std::int64_t>());
}

}  // namespace
}  // namespace ridestream::dispatch
