#pragma once

#include <atomic>
#include <chrono>

#include "libs/base/system_time.h"

namespace ridestream {

/// Durations and points in time of the whole project: microseconds, UTC.
using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;

/// The only source of time. Domains never hold a clock; each event carries a `Time`. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time Now() const = 0;
  /// Converts `d` of this clock's time to wall time, for timers and condition variables. While the
  /// clock corrects a step, the actual wall time is between half and twice the result.
  virtual std::chrono::nanoseconds ToWall(Duration d) const = 0;
  /// Speed relative to the wall clock.
  double rate() const;
};

/// The system's clock, or a clock that runs `rate` times as fast, so that a simulated hour passes
/// in minutes while leases, staleness and speeds keep their meaning.
///
/// All processes with the same rate agree on the time without communication, because the scaling
/// starts from a fixed instant: now = kAnchor + rate * (wall - kAnchor). At rate 1 this is
/// wall-clock time; at other rates the dates differ from the calendar.
///
/// It never goes back. After a step of the system's clock it catches up as FollowedTime describes.
/// At rate 10, a step of 6 s is a minute of this clock and takes up to 12 s of wall-clock time to
/// correct.
class ScaledClock final : public Clock {
 public:
  static constexpr Time kAnchor = std::chrono::sys_days{std::chrono::January / 1 / 2026};

  /// `rate` must be > 0; `source` outlives the clock.
  explicit ScaledClock(double rate = 1.0, const TimeSource& source = TimeSource::Machine());
  Time Now() const override;
  std::chrono::nanoseconds ToWall(Duration d) const override;

 private:
  const double rate_;
  const FollowedTime wall_;
};

/// A clock that stands still until the test moves it. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = ScaledClock::kAnchor)
      : now_us_(start.time_since_epoch().count()) {}
  Time Now() const override { return Time(Duration(now_us_.load())); }
  std::chrono::nanoseconds ToWall(Duration) const override { return std::chrono::milliseconds(1); }
  void Advance(Duration d) { now_us_ += d.count(); }

 private:
  std::atomic<Duration::rep> now_us_;
};

}  // namespace ridestream
