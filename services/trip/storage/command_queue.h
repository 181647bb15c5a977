#pragma once

#include <cstddef>
#include <deque>
#include <variant>
#include <vector>

#include "libs/base/mutex.h"
#include "services/trip/domain/execute.h"
#include "services/trip/domain/trip_store.h"

namespace ridestream::trip {

struct QuoteWork {
  Quote quote;
  TripStore::QuoteDone done;
  TripStore::Deadline deadline;
};

struct TripWork {
  Command command;
  TripStore::TripDone done;
  TripStore::Deadline deadline;
  Outcome outcome{absl::UnknownError("not carried out")};
};

/// What waits to be written, with whom to answer.
using Work = std::variant<QuoteWork, TripWork>;
using Batch = std::deque<Work>;

/// Answers with the outcome, which is durable; each work once.
void Complete(Work& work);
void Fail(Work& work, const absl::Status& status);
TripStore::Deadline DeadlineOf(const Work& work);

/// What callers are told when the disk or the database failed: nothing was acknowledged, and since
/// every command is idempotent it may be sent again.
absl::Status NotCommitted(const absl::Status& cause);

/// Takes the events that the outcomes of a batch hold, in the log's order.
std::vector<EventPtr> TakeEvents(Batch& batch);

/// Commands that wait for the writer's thread. Thread-safe.
class CommandQueue {
 public:
  CommandQueue(size_t max_queue, size_t max_batch) : max_queue_(max_queue), max_batch_(max_batch) {}

  /// Fails the work at once with RESOURCE_EXHAUSTED when too much waits.
  void Add(Work work);
  /// For the writer: waits for work and takes as much as makes a batch. Empty when the queue was
  /// stopped and nothing is left to do.
  Batch Take();
  void Stop();
  size_t waiting() const;

 private:
  const size_t max_queue_;
  const size_t max_batch_;
  mutable Mutex mu_;
  CondVar work_came_;
  Batch queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::trip
