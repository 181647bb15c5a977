#pragma once

#include <atomic>
#include <chrono>

#include "libs/base/system_time.h"

namespace ridestream {

/// Durations and points of time everywhere in the project: microseconds, UTC.
using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;

/// The one source of time. Domains never hold a clock: a `Time` comes in with each event.
/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time Now() const = 0;
  /// How long `d` of this clock's time lasts on the wall, for timers and condition variables. While
  /// a clock follows a step it takes up to twice as long, or half.
  virtual std::chrono::nanoseconds ToWall(Duration d) const = 0;
  /// Speed relative to the wall clock.
  double rate() const;
};

/// The system's clock, or one that runs `rate` times as fast, so that a city's hour passes in
/// minutes while leases, staleness and speeds keep their meaning.
///
/// All processes with the same rate agree on the time without talking to each other, because the
/// scaling starts from a fixed instant: now = kAnchor + rate * (wall - kAnchor). At rate 1 that is
/// wall-clock time; at other rates the dates are not the calendar's.
///
/// It never goes back. When the system's clock is stepped it follows, as FollowedTime describes: a
/// step of 6 s at rate 10 is one of a minute for the city, and takes up to 12 s of wall-clock time.
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
