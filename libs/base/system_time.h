#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "libs/base/mutex.h"

namespace ridestream {

/// The clocks of the machine. A fake one replaces it in tests. Thread-safe.
class TimeSource {
 public:
  using SystemTime = std::chrono::sys_time<std::chrono::nanoseconds>;

  virtual ~TimeSource() = default;
  /// UTC. It is stepped, forwards and backwards, by NTP, by an operator, and when a machine resumes
  /// after it was suspended.
  virtual SystemTime System() const = 0;
  /// Since any moment, in nanoseconds. It never steps, and may stand while the machine is
  /// suspended.
  virtual std::int64_t SteadyNs() const = 0;

  /// The clocks of this machine.
  static const TimeSource& Machine();
};

/// The system's time without steps backwards: never goes back, whichever threads read it.
///
/// It runs on the steady clock and compares itself with the system's every kCheckEvery. A step of
/// the system's clock is followed by running faster or slower, between kSlowest and kFastest, until
/// both agree. When the system's clock is ahead by more than kJump, the time jumps to it: a process
/// that was suspended for hours resumes in the present. Thread-safe; a reading in between two
/// checks takes no lock.
class FollowedTime {
 public:
  static constexpr std::chrono::nanoseconds kCheckEvery = std::chrono::seconds(1);
  static constexpr double kSlowest = 0.5;
  static constexpr double kFastest = 2;
  static constexpr std::chrono::nanoseconds kJump = std::chrono::minutes(1);

  /// `source` outlives it.
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

  /// The line in use. False: it is being replaced.
  bool Load(Line& line) const;
  void Store(const Line& line) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// The line for `steady`, which is a new one where the old one has ended.
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
