#include "services/trip/handlers/worker_pool.h"

#include <algorithm>
#include <utility>

namespace ridestream::trip {

WorkerPool::WorkerPool(Executor& executor, size_t workers, size_t max_queue)
    : max_queue_(max_queue) {
  for (size_t i = 0; i < workers; ++i) {
    workers_.push_back(executor.Start([this, i] { return RunOne(i); }));
  }
}

WorkerPool::~WorkerPool() = default;

bool WorkerPool::TryRun(std::function<void()> work) {
  std::optional<size_t> woken;
  {
    MutexLock lock(mu_);
    if (queue_.size() >= max_queue_) return false;
    queue_.push_back(std::move(work));
    if (!idle_.empty()) {
      woken = idle_.back();
      idle_.pop_back();
    }
  }
  if (woken) workers_[*woken]->Wake();
  return true;
}

size_t WorkerPool::waiting() const {
  MutexLock lock(mu_);
  return queue_.size();
}

std::optional<std::chrono::nanoseconds> WorkerPool::RunOne(size_t worker) {
  std::function<void()> work;
  {
    MutexLock lock(mu_);
    if (queue_.empty()) {
      // The worker may have been woken for work that another one took.
      if (std::find(idle_.begin(), idle_.end(), worker) == idle_.end()) idle_.push_back(worker);
      return std::nullopt;
    }
    work = std::move(queue_.front());
    queue_.pop_front();
  }
  work();
  return std::chrono::nanoseconds(0);
}

}  // namespace ridestream::trip
