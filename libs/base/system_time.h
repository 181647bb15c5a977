#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "libs/base/mutex.h"

namespace ridestream {

/// The machine's clocks. Tests replace them by a fake. Thread-safe.
class TimeSource {
 public:
  using SystemTime = std::chrono::sys_time<std::chrono::nanoseconds>;

  virtual ~TimeSource() = default;
  /// UTC. It may step forwards and backwards: by NTP, by an operator, or when a suspended machine
  /// resumes.
  virtual SystemTime System() const = 0;
  /// Nanoseconds since an arbitrary moment. It never steps, and may stop while the machine is
  /// suspended.
  virtual std::int64_t SteadyNs() const = 0;

  /// The clocks of this machine.
  static const TimeSource& Machine();
};

/// The system's time without backward steps, as seen by all threads.
///
/// It runs on the steady clock and compares itself with the system's clock every kCheckEvery. It
/// corrects a step of the system's clock by running faster or slower, between kSlowest and
/// kFastest, until both agree. If the system's clock is ahead by more than kJump, the time jumps to
/// it, so a process that was suspended for hours resumes in the present. Thread-safe; a reading
/// between two checks takes no lock.
class FollowedTime {
 public:
  static constexpr std::chrono::nanoseconds kCheckEvery = std::chrono::seconds(1);
  static constexpr double kSlowest = 0.5;
  static constexpr double kFastest = 2;
  static constexpr std::chrono::nanoseconds kJump = std::chrono::minutes(1);

  /// `source` must outlive this object.
  explicit FollowedTime(const TimeSource& source = TimeSource::Machine());

  TimeSource::SystemTime Now() const;

 private:
  /// The time as a straight line over the steady clock, all in nanoseconds.
  struct Line {
    std::int64_t from;
    std::int64_t until;
    std::int64_t time_at_from;
    double speed;

    std::int64_t At(std::int64_t steady) const;
  };

  /// Reads the current line. Returns false while it is being replaced.
  bool Load(Line& line) const;
  void Store(const Line& line) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// The line that is valid at `steady`; starts a new line when the old one has expired.
  Line LineFor(std::int64_t steady) const;
  Line Next(const Line& ended, std::int64_t steady) const;

  const TimeSource& source_;
  mutable Mutex mu_;
  // A line is published under mu_, field by field, while version_ is odd.
  mutable std::atomic<std::uint32_t> version_ = 0;
  mutable std::atomic<std::int64_t> from_;
  mutable std::atomic<std::int64_t> until_;
  mutable std::atomic<std::int64_t> time_at_from_;
  mutable std::atomic<double> speed_;
};

}  // namespace ridestream
