#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "libs/base/mutex.h"

namespace ridestream::trip {

/// Threads for what would block a thread of gRPC's: reads from the disk, searches for a way.
/// Thread-safe.
class WorkerPool {
 public:
  /// `max_queue`: work that may wait for a thread.
  WorkerPool(size_t threads, size_t max_queue);
  /// Does what waits, then ends.
  ~WorkerPool();

  /// False, with nothing done, when too much waits already.
  [[nodiscard]] bool TryRun(std::function<void()> work);

  /// How much waits for a thread.
  size_t waiting() const;

 private:
  void Loop();

  const size_t max_queue_;
  mutable Mutex mu_;
  CondVar work_came_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace ridestream::trip
