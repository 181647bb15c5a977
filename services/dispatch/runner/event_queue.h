#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/base/worker.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// What waits for a market's worker. Thread-safe; in the order of locks only the worker's is behind
/// it.
///
/// Bounded. What comes from outside is refused over the bound, and positions, which the next report
/// replaces, over half of that. Answers to the market's own decisions are always taken, as the
/// market bounds them by asking, and what a session says once.
class EventQueue {
 public:
  static constexpr std::size_t kMax = 65'536;

  explicit EventQueue(std::size_t max = kMax) : max_(max) {}

  /// False: full, and not taken.
  bool Offer(Event event) {
    MutexLock lock(mu_);
    const std::size_t bound = std::holds_alternative<DriverMoved>(event) ? max_ / 2 : max_;
    if (events_.size() >= bound) {
      ++refused_;
      return false;
    }
    Append(std::move(event));
    return true;
  }

  void Answer(Event event) {
    MutexLock lock(mu_);
    Append(std::move(event));
  }

  std::size_t size() const {
    MutexLock lock(mu_);
    return events_.size();
  }
  /// How many Offer refused so far.
  std::uint64_t refused() const {
    MutexLock lock(mu_);
    return refused_;
  }

  /// From now on wakes the worker when an event is queued first, and at once if one waits already.
  /// The worker must outlive that: see Close.
  void WakeFor(Worker& worker) {
    MutexLock lock(mu_);
    worker_ = &worker;
    if (!events_.empty()) worker_->Wake();
  }
  /// Nobody is woken any more.
  void Close() {
    MutexLock lock(mu_);
    worker_ = nullptr;
  }

  /// All that waits, in its order.
  std::vector<Event> TakeAll() {
    std::vector<Event> taken;
    MutexLock lock(mu_);
    taken.swap(events_);
    return taken;
  }

 private:
  void Append(Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    events_.push_back(std::move(event));
    if (events_.size() == 1 && worker_ != nullptr) worker_->Wake();
  }

  const std::size_t max_;
  mutable Mutex mu_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mu_);
  std::uint64_t refused_ ABSL_GUARDED_BY(mu_) = 0;
  Worker* worker_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace ridestream::dispatch
