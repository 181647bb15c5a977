#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/base/worker.h"

namespace ridestream::trip {

/// Workers for tasks that would block a thread of the transport: reads from the disk, computations
/// of routes. Thread-safe.
class WorkerPool {
 public:
  /// `max_queue`: maximum number of tasks waiting for a worker. `executor` must outlive the pool.
  WorkerPool(Executor& executor, size_t workers, size_t max_queue);
  /// Waits for tasks in progress. Tasks that haven't begun are dropped.
  ~WorkerPool();

  /// Returns false, and does nothing, if the queue is full.
  [[nodiscard]] bool TryRun(std::function<void()> work);

  /// Number of tasks waiting for a worker.
  size_t waiting() const;

 private:
  /// Runs one task.
  std::optional<std::chrono::nanoseconds> RunOne(size_t worker);

  const size_t max_queue_;
  mutable Mutex mu_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mu_);
  std::vector<size_t> idle_ ABSL_GUARDED_BY(mu_);  // Workers that found nothing to do.
  std::vector<std::unique_ptr<Worker>> workers_;   // Last: their pieces use all above.
};

}  // namespace ridestream::trip
