#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/base/worker.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// The events that wait for a market's worker. Thread-safe. In the lock order only the worker's
/// lock comes after this one.
/// Bounded. Beyond the bound, events from outside are refused. Positions, which the next report
/// replaces, are refused beyond half of it. Answers to the market's own decisions are always
/// accepted, since the market bounds them by its questions, and so are events that a session sends
/// once.
class EventQueue {
 public:
  static constexpr std::size_t kMax = 65'536;

  explicit EventQueue(std::size_t max = kMax) : max_(max) {}

  /// Returns false if the queue is full and the event wasn't accepted.
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
  /// Number of events refused by Offer since the start.
  std::uint64_t refused() const {
    MutexLock lock(mu_);
    return refused_;
  }

  /// Wakes the worker from now on when the first event is queued, and at once if one is already
  /// waiting. The worker must live until Close.
  void WakeFor(Worker& worker) {
    MutexLock lock(mu_);
    worker_ = &worker;
    if (!events_.empty()) worker_->Wake();
  }
  /// The worker isn't woken any more.
  void Close() {
    MutexLock lock(mu_);
    worker_ = nullptr;
  }

  /// All waiting events, in order.
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
