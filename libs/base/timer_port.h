#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace ridestream {

/// A port to timers, which call functions after a delay. A simulation implements it in virtual
/// time. Thread-safe.
class TimerPort {
 public:
  using Handle = std::uint64_t;

  virtual ~TimerPort() = default;

  /// Calls `fire` once, `delay` of wall time from now. `fire` must be short and never block. The
  /// handle is never 0.
  virtual Handle After(std::chrono::nanoseconds delay, std::function<void()> fire) = 0;

  /// Cancels a timer. When this returns, its function doesn't run any more: waits for a running
  /// call, except from within that call. Unknown handles and 0 are ignored.
  virtual void Cancel(Handle handle) = 0;
};

}  // namespace ridestream
