#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"

namespace ridestream {

/// Calls functions after a delay, on one thread of its own. Thread-safe.
class TimerQueue final : public TimerPort {
 public:
  TimerQueue();
  /// Drops timers that have not fired.
  ~TimerQueue() override;

  Handle After(std::chrono::nanoseconds delay, std::function<void()> fire) override;
  void Cancel(Handle handle) override;

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
