#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "libs/base/clock.h"

namespace ridestream::sim {

/// Until when a process is paused, as by SIGSTOP; in the past while it runs. Shared by everything
/// that belongs to the process.
using PausedUntil = std::shared_ptr<Time>;

/// Tells whether a life continues, and until when it is paused.
using LifeWatch = std::weak_ptr<const PausedUntil>;

/// The life of a process, or of something in a process. When it ends, its scheduled tasks are
/// dropped; while the process is paused, they wait.
class Life {
 public:
  Life() { Begin(); }
  /// A life of something in that process.
  static Life In(const Life& process) { return Life(*process.token_); }
  Life(Life&&) = default;
  void Begin() { token_ = std::make_shared<PausedUntil>(std::make_shared<Time>()); }
  void End() { token_.reset(); }
  /// If two pauses overlap, the longer one counts.
  void PauseUntil(Time until) { **token_ = std::max(**token_, until); }
  operator LifeWatch() const { return token_; }  // NOLINT(google-explicit-constructor)

 private:
  explicit Life(PausedUntil process) : token_(std::make_shared<PausedUntil>(std::move(process))) {}

  std::shared_ptr<const PausedUntil> token_;
};

/// Virtual time: it advances only when told to, and waits last exactly as long as requested.
class VirtualClock final : public Clock {
 public:
  Time Now() const override { return now_; }
  std::chrono::nanoseconds ToWall(Duration d) const override { return d; }
  void Advance(Duration d) { now_ += d; }

 private:
  Time now_ = ScaledClock::kAnchor;
};

/// Scheduled tasks in virtual time, ordered by time and then by the order of scheduling. Not
/// thread-safe.
class Agenda {
 public:
  using Task = std::function<void()>;

  Time now() const { return clock_.Now(); }
  const Clock& clock() const { return clock_; }

  /// Schedules the task for that time. It is dropped if the life has ended by then.
  void At(Time at, LifeWatch life, Task task) {
    tasks_.emplace(std::pair(std::max(at, now()), ++planned_),
                   Entry{std::move(life), std::move(task)});
  }
  void After(Duration delay, LifeWatch life, Task task) {
    At(now() + delay, std::move(life), std::move(task));
  }

  /// Runs the next task. Returns false if there is none.
  bool RunNext() {
    while (!tasks_.empty()) {
      auto next = tasks_.extract(tasks_.begin());
      const auto life = next.mapped().life.lock();
      if (life == nullptr) continue;
      if (**life > next.key().first) {
        next.key().first = **life;
        tasks_.insert(std::move(next));
        continue;
      }
      clock_.Advance(next.key().first - now());
      next.mapped().task();
      return true;
    }
    return false;
  }

 private:
  struct Entry {
    LifeWatch life;
    Task task;
  };
  VirtualClock clock_;
  std::uint64_t planned_ = 0;
  std::map<std::pair<Time, std::uint64_t>, Entry> tasks_;
};

}  // namespace ridestream::sim
