#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "libs/base/clock.h"

namespace ridestream::sim {

/// Until when a process does nothing, as after SIGSTOP; in the past while it runs. Shared by all
/// that belongs to the process.
using PausedUntil = std::shared_ptr<Time>;

/// Sees whether a life goes on, and until when it pauses.
using LifeWatch = std::weak_ptr<const PausedUntil>;

/// From a process's start to its end, or of something in a process. What it has planned is void
/// when its life is over, and waits while the process pauses.
class Life {
 public:
  Life() { Begin(); }
  /// The life of something in that process.
  static Life In(const Life& process) { return Life(*process.token_); }
  Life(Life&&) = default;
  void Begin() { token_ = std::make_shared<PausedUntil>(std::make_shared<Time>()); }
  void End() { token_.reset(); }
  /// The longer of two pauses at once counts.
  void PauseUntil(Time until) { **token_ = std::max(**token_, until); }
  operator LifeWatch() const { return token_; }  // NOLINT(google-explicit-constructor)

 private:
  explicit Life(PausedUntil process) : token_(std::make_shared<PausedUntil>(std::move(process))) {}

  std::shared_ptr<const PausedUntil> token_;
};

/// Virtual time: it stands still until it is advanced, and a wait lasts as long as it says.
class VirtualClock final : public Clock {
 public:
  Time Now() const override { return now_; }
  std::chrono::nanoseconds ToWall(Duration d) const override { return d; }
  void Advance(Duration d) { now_ += d; }

 private:
  Time now_ = ScaledClock::kAnchor;
};

/// What is to happen in virtual time, in the order of time, and at the same time in the order in
/// which it was planned. Not thread-safe.
class Agenda {
 public:
  using Task = std::function<void()>;

  Time now() const { return clock_.Now(); }
  const Clock& clock() const { return clock_; }

  /// Does the task then, unless the life has ended by that time.
  void At(Time at, LifeWatch life, Task task) {
    tasks_.emplace(std::pair(std::max(at, now()), ++planned_),
                   Entry{std::move(life), std::move(task)});
  }
  void After(Duration delay, LifeWatch life, Task task) {
    At(now() + delay, std::move(life), std::move(task));
  }

  /// Does what is next. False: nothing is left to do.
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
