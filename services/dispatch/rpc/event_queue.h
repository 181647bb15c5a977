#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "libs/base/mutex.h"
#include "services/dispatch/domain/market_events.h"

namespace ridestream::dispatch {

/// What waits for a market's thread. Thread-safe; a leaf in the order of locks.
///
/// Bounded. What comes from outside is refused over kMax, and positions, which the next report
/// replaces, over half of that. Answers to the market's own decisions are always taken, as the
/// market bounds them by asking, and what a session says once.
class EventQueue {
 public:
  static constexpr std::size_t kMax = 65'536;

  /// False: full, and not taken.
  bool Offer(Event event) {
    MutexLock lock(mu_);
    const std::size_t bound = std::holds_alternative<DriverMoved>(event) ? kMax / 2 : kMax;
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

  void Close() {
    MutexLock lock(mu_);
    closed_ = true;
    changed_.Signal();
  }

  /// Waits until something is there, or the timeout (of wall time) is over, and takes all of it.
  /// nullopt: closed.
  std::optional<std::vector<Event>> TakeAll(std::optional<std::chrono::nanoseconds> timeout) {
    MutexLock lock(mu_);
    const auto end = std::chrono::steady_clock::now() + timeout.value_or(std::chrono::hours(1));
    while (events_.empty() && !closed_) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero() || !changed_.WaitFor(mu_, left)) break;
    }
    if (closed_) return std::nullopt;
    std::vector<Event> taken;
    taken.swap(events_);
    return taken;
  }

 private:
  void Append(Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    events_.push_back(std::move(event));
    if (events_.size() == 1) changed_.Signal();
  }

  mutable Mutex mu_;
  CondVar changed_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mu_);
  std::uint64_t refused_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::dispatch
