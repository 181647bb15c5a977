#include "services/dispatch/record/record_queue.h"

#include <utility>

#include "libs/service/service.h"
#include "services/dispatch/record/event_recorder.h"

namespace ridestream::dispatch {
namespace {

std::string GapOf(std::uint64_t events) {
  record::Record record;
  record.mutable_gap()->set_events(events);
  std::string bytes;
  AppendDelimited(record, bytes);
  return bytes;
}

}  // namespace

RecordQueue::RecordQueue(std::string market, std::unique_ptr<RecordFile> file, Executor& executor)
    : market_(std::move(market)),
      file_(std::move(file)),
      bytes_(file_->bytes()),
      worker_(executor.Start([this] { return Work(); })) {}

RecordQueue::~RecordQueue() {
  worker_.reset();
  {
    MutexLock lock(mu_);
    if (gap_ > 0) batches_.push_back({GapOf(std::exchange(gap_, 0)), 0});
  }
  while (WriteNext()) {
  }
}

bool RecordQueue::Offer(std::string batch, std::uint64_t events) {
  {
    MutexLock lock(mu_);
    if (gave_up_ || batches_.size() >= kMaxBatches) {
      gap_ += events;
      dropped_ += events;
      return false;
    }
    if (gap_ > 0) batch.insert(0, GapOf(std::exchange(gap_, 0)));
    batches_.push_back({std::move(batch), events});
  }
  worker_->Wake();
  return true;
}

std::optional<std::chrono::nanoseconds> RecordQueue::Work() {
  if (!WriteNext()) return std::nullopt;
  return std::chrono::nanoseconds(0);
}

bool RecordQueue::WriteNext() {
  Batch batch;
  {
    MutexLock lock(mu_);
    if (batches_.empty()) return false;
    batch = std::move(batches_.front());
    batches_.pop_front();
    if (gave_up_) {
      dropped_ += batch.events;
      return true;
    }
  }
  const absl::Status status = file_->Write(batch.bytes);
  bytes_ = file_->bytes();
  if (status.ok()) {
    written_ += batch.events;
  } else {
    dropped_ += batch.events;
    GiveUp(status);
  }
  return true;
}

void RecordQueue::GiveUp(const absl::Status& status) {
  service::Log(service::Level::kWarning, "record_ended",
               {{"market", market_}, {"record", file_->path()}, {"error", status.ToString()}});
  MutexLock lock(mu_);
  gave_up_ = true;
}

}  // namespace ridestream::dispatch
