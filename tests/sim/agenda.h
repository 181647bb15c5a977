#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "libs/base/clock.h"

namespace ridestream::sim {

/// Sees whether a life goes on.
using LifeWatch = std::weak_ptr<const char>;

/// From a process's start to its end. What it has planned is void when its life is over.
class Life {
 public:
  Life() : token_(std::make_shared<char>()) {}
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  void Begin() { token_ = std::make_shared<char>(); }
  void End() { token_.reset(); }
  operator LifeWatch() const { return token_; }  // NOLINT(google-explicit-constructor)

 private:
  std::shared_ptr<const char> token_;
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
      if (next.mapped().life.expired()) continue;
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
