#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace ridestream {

/// The port to timers: calls functions later. A simulation does so in virtual time. Thread-safe.
class TimerPort {
 public:
  using Handle = std::uint64_t;

  virtual ~TimerPort() = default;

  /// Calls `fire` once, `delay` of wall time from now. `fire` must be short and never block. The
  /// handle is never 0.
  virtual Handle After(std::chrono::nanoseconds delay, std::function<void()> fire) = 0;

  /// Afterwards the function doesn't run any more: a call under way is waited for, except from
  /// within it. Unknown and 0 are ignored.
  virtual void Cancel(Handle handle) = 0;
};

}  // namespace ridestream
