#pragma once

#include <functional>
#include <map>
#include <utility>

#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"

namespace ridestream::testing {

/// Timers that fire when the test says so, whatever their delay. Thread-safe, except that Cancel
/// doesn't wait for a running function: functions run on the thread that fires them.
class ManualTimers final : public TimerPort {
 public:
  Handle After(std::chrono::nanoseconds delay, std::function<void()> fire) override {
    MutexLock lock(mu_);
    last_delay_ = delay;
    waiting_[++last_] = std::move(fire);
    return last_;
  }
  void Cancel(Handle handle) override {
    MutexLock lock(mu_);
    waiting_.erase(handle);
  }

  /// Fires all timers that wait now, but not those that they start.
  void FireAll() {
    std::map<Handle, std::function<void()>> due;
    {
      MutexLock lock(mu_);
      due.swap(waiting_);
    }
    for (const auto& [handle, fire] : due) fire();
  }
  std::size_t waiting() {
    MutexLock lock(mu_);
    return waiting_.size();
  }
  /// The delay of the newest timer; 0 before the first.
  std::chrono::nanoseconds last_delay() {
    MutexLock lock(mu_);
    return last_delay_;
  }

 private:
  Mutex mu_;
  Handle last_ ABSL_GUARDED_BY(mu_) = 0;
  std::chrono::nanoseconds last_delay_ ABSL_GUARDED_BY(mu_){0};
  std::map<Handle, std::function<void()>> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::testing
