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
    /// The batch that became durable, with its outcomes, or that failed and isn't answered yet.
    Batch batch;
    absl::Status status;
    /// Whether one of the commands made the transaction fail, so that the others may succeed
    /// without it.
    bool refused = false;
  };
  using Done = std::function<void(Result)>;

  virtual ~BatchCommitter() = default;
  /// Carries out the batch in one transaction, in order. Calls `done` once when the batch is
  /// durable or has failed, on any thread, possibly before returning. May answer commands itself
  /// and remove them from the batch. Only one batch is in progress at a time.
  virtual void Commit(Batch batch, Done done) = 0;
};

/// Collects commands and commits them in batches, one batch after another. The next batch takes all
/// commands that arrived during the previous one (group commit). No command is answered before its
/// batch is durable. If one command makes its batch fail, each is committed alone, in the same
/// order, so that only the faulty one fails. Thread-safe.
class CommandWriter {
 public:
  /// The objects that the arguments refer to must outlive this one.
  struct Options {
    Executor& executor;
    BatchCommitter& committer;
    /// Receives each durable batch in the order of the commits, publishes its events, then answers.
    std::function<void(Batch)> acknowledge;
    /// Called after each transaction with its number of commands and the time until it was durable.
    std::function<void(size_t commands, std::chrono::nanoseconds took)> on_commit = nullptr;
    /// Called with the number of commands that failed together.
    std::function<void(const absl::Status&, size_t commands)> on_failure = nullptr;
    /// Maximum number of waiting commands. Further ones are refused with RESOURCE_EXHAUSTED.
    size_t max_queue = TripStore::kMaxQueue;
    size_t max_batch = kMaxBatch;
  };
  /// Maximum number of commands in a transaction: large enough to amortise the sync, and small
  /// enough that no command waits long for the others.
  static constexpr size_t kMaxBatch = 512;

  explicit CommandWriter(Options options);
  /// Drops waiting commands without an answer, as a crash would, unless Close was called.
  ~CommandWriter();

  /// See TripStore.
  void Submit(Command command, TripStore::TripDone done, TripStore::Deadline deadline);
  void SaveQuote(Quote quote, TripStore::QuoteDone done, TripStore::Deadline deadline);
  void ChangeLease(LeaseCommand command, TripStore::LeaseDone done, TripStore::Deadline deadline);
  /// Waits until all submitted commands have been carried out. No command may be submitted
  /// afterwards.
  void Close();
  /// Number of commands that wait to be committed, without those of the batch in progress.
  size_t waiting() const;

 private:
  void Add(Work work);
  /// Runs on the worker.
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
