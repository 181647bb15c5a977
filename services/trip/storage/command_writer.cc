#include "services/trip/storage/command_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ridestream::trip {

CommandWriter::CommandWriter(Options options) : options_(std::move(options)) {
  worker_ = options_.executor.Start([this] { return CommitNext(); });
}

CommandWriter::~CommandWriter() = default;

void CommandWriter::Submit(Command command, TripStore::TripDone done,
                           TripStore::Deadline deadline) {
  Add(TripWork{.command = std::move(command), .done = std::move(done), .deadline = deadline});
}

void CommandWriter::SaveQuote(Quote quote, TripStore::QuoteDone done,
                              TripStore::Deadline deadline) {
  Add(QuoteWork{std::move(quote), std::move(done), deadline});
}

void CommandWriter::ChangeLease(LeaseCommand command, TripStore::LeaseDone done,
                                TripStore::Deadline deadline) {
  Add(LeaseWork{.command = std::move(command), .done = std::move(done), .deadline = deadline});
}

void CommandWriter::Add(Work work) {
  bool is_first = false;
  bool is_full = false;
  {
    MutexLock lock(mu_);
    is_full = queue_.size() >= options_.max_queue;
    if (!is_full) {
      queue_.push_back(std::move(work));
      is_first = queue_.size() == 1;
    }
  }
  if (is_first) worker_->Wake();
  if (is_full) {
    Fail(work, absl::ResourceExhaustedError(
                   fmt::format("{} commands are already waiting to be written; try again later",
                               options_.max_queue)));
  }
}

std::optional<std::chrono::nanoseconds> CommandWriter::CommitNext() {
  Batch batch;
  {
    MutexLock lock(mu_);
    if (committing_) return std::nullopt;  // Its end wakes the worker.
    batch = TakeBatch();
    if (batch.empty()) return std::nullopt;
    committing_ = true;
  }
  const auto began = std::chrono::steady_clock::now();
  options_.committer.Commit(std::move(batch), [this, began](BatchCommitter::Result result) {
    OnCommitted(std::move(result), began);
  });
  return std::chrono::nanoseconds(0);
}

Batch CommandWriter::TakeBatch() {
  Batch batch;
  Batch& from = one_by_one_.empty() ? queue_ : one_by_one_;
  const size_t limit = one_by_one_.empty() ? options_.max_batch : 1;
  if (from.size() <= limit) {
    batch.swap(from);
  } else {
    const auto end = from.begin() + static_cast<std::ptrdiff_t>(limit);
    std::move(from.begin(), end, std::back_inserter(batch));
    from.erase(from.begin(), end);
  }
  return batch;
}

void CommandWriter::OnCommitted(BatchCommitter::Result result,
                                std::chrono::steady_clock::time_point began) {
  Batch& batch = result.batch;
  const bool is_split = !result.status.ok() && result.refused && batch.size() > 1;
  if (batch.empty()) {
    // All were answered by the committer.
  } else if (result.status.ok()) {
    if (options_.on_commit) {
      options_.on_commit(batch.size(), std::chrono::steady_clock::now() - began);
    }
    options_.acknowledge(std::move(batch));
  } else if (!is_split) {
    if (options_.on_failure) options_.on_failure(result.status, batch.size());
    for (Work& work : batch) Fail(work, NotCommitted(result.status));
  }
  MutexLock lock(mu_);
  if (is_split) one_by_one_ = std::move(batch);
  committing_ = false;
  if (IsIdle()) {
    became_idle_.SignalAll();
  } else {
    worker_->Wake();
  }
}

bool CommandWriter::IsIdle() const { return !committing_ && queue_.empty() && one_by_one_.empty(); }

void CommandWriter::Close() {
  MutexLock lock(mu_);
  while (!IsIdle()) became_idle_.Wait(mu_);
}

size_t CommandWriter::waiting() const {
  MutexLock lock(mu_);
  return queue_.size() + one_by_one_.size();
}

}  // namespace ridestream::trip
