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

/// Workers for what would block a thread of the transport's: reads from the disk, searches for a
/// way. Thread-safe.
class WorkerPool {
 public:
  /// `max_queue`: work that may wait for a worker. `executor` must outlive the pool.
  WorkerPool(Executor& executor, size_t workers, size_t max_queue);
  /// Waits for the work under way; what hasn't begun is dropped.
  ~WorkerPool();

  /// False, with nothing done, when too much waits already.
  [[nodiscard]] bool TryRun(std::function<void()> work);

  /// How much waits for a worker.
  size_t waiting() const;

 private:
  /// A worker's piece: one work.
  std::optional<std::chrono::nanoseconds> RunOne(size_t worker);

  const size_t max_queue_;
  mutable Mutex mu_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mu_);
  std::vector<size_t> idle_ ABSL_GUARDED_BY(mu_);  // Workers that found nothing to do.
  std::vector<std::unique_ptr<Worker>> workers_;   // Last: their pieces use all above.
};

}  // namespace ridestream::trip
