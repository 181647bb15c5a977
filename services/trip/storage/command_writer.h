#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/base/worker.h"
#include "services/trip/storage/batch.h"

namespace ridestream::trip {

/// Makes batches of commands durable: a file, a database server, or a simulated disk.
class BatchCommitter {
 public:
  struct Result {
    /// What became durable, with its outcomes; or what failed and isn't answered yet.
    Batch batch;
    absl::Status status;
    /// One of the commands made the transaction fail, so that others may succeed without it.
    bool refused = false;
  };
  using Done = std::function<void(Result)>;

  virtual ~BatchCommitter() = default;
  /// Carries the batch out in one transaction, in its order. Calls `done` once, on any thread, also
  /// before it returns, when the batch is durable or has failed. May answer works itself and drop
  /// them from the batch. One batch is under way at a time.
  virtual void Commit(Batch batch, Done done) = 0;
};

/// Collects the commands that wait and commits them in batches, one after another: the next batch
/// takes all that came during the one before (group commit). No command is answered before its
/// batch is durable. Where one command makes its batch fail, each is committed alone, in the same
/// order, so that it fails nothing but itself. Thread-safe.
class CommandWriter {
 public:
  /// What it refers to must outlive it.
  struct Options {
    Executor& executor;
    BatchCommitter& committer;
    /// Takes each durable batch, in the order of the commits: publishes its events, then answers.
    std::function<void(Batch)> acknowledge;
    /// Called after each transaction: how many commands, and how long it took to be durable.
    std::function<void(size_t commands, std::chrono::nanoseconds took)> on_commit = nullptr;
    /// Called with the number of commands that failed together.
    std::function<void(const absl::Status&, size_t commands)> on_failure = nullptr;
    /// Commands that may wait; one more is refused with RESOURCE_EXHAUSTED.
    size_t max_queue = TripStore::kMaxQueue;
    size_t max_batch = kMaxBatch;
  };
  /// Commands in one transaction: enough to make the sync cheap, and small enough that none waits
  /// long for the others.
  static constexpr size_t kMaxBatch = 512;

  explicit CommandWriter(Options options);
  /// Drops what waits without an answer, as a crash does, unless it was closed before.
  ~CommandWriter();

  /// See TripStore.
  void Submit(Command command, TripStore::TripDone done, TripStore::Deadline deadline);
  void SaveQuote(Quote quote, TripStore::QuoteDone done, TripStore::Deadline deadline);
  void ChangeLease(LeaseCommand command, TripStore::LeaseDone done, TripStore::Deadline deadline);
  /// Waits until all that was submitted is carried out. Nothing may be submitted any more.
  void Close();
  /// Commands that wait to be committed, without those of the batch under way.
  size_t waiting() const;

 private:
  void Add(Work work);
  /// The worker's piece.
  std::optional<std::chrono::nanoseconds> CommitNext();
  Batch TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnCommitted(BatchCommitter::Result result, std::chrono::steady_clock::time_point began);

  const Options options_;
  mutable Mutex mu_;
  CondVar became_idle_;
  Batch queue_ ABSL_GUARDED_BY(mu_);
  Batch one_by_one_ ABSL_GUARDED_BY(mu_);  // Of a refused batch; before the queue.
  bool committing_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<Worker> worker_;  // Last: its pieces use all above.
};

}  // namespace ridestream::trip
