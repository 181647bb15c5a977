#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "libs/base/mutex.h"

namespace ridestream {

/// Calls functions later, on one thread of its own. They must be short and never block.
/// Thread-safe.
class TimerQueue {
 public:
  using Handle = std::uint64_t;

  TimerQueue();
  /// Drops what has not fired.
  ~TimerQueue();

  /// Calls `fire` once, `delay` of wall time from now. The handle is never 0.
  Handle After(std::chrono::nanoseconds delay, std::function<void()> fire);

  /// Afterwards the function doesn't run any more: a call under way is waited for, except from
  /// within it. Unknown and 0 are ignored.
  void Cancel(Handle handle);

 private:
  using Clock = std::chrono::steady_clock;

  void Run();

  Mutex mu_;
  CondVar changed_;
  std::map<std::pair<Clock::time_point, Handle>, std::function<void()>> timers_
      ABSL_GUARDED_BY(mu_);
  Handle last_handle_ ABSL_GUARDED_BY(mu_) = 0;
  Handle running_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace ridestream
