#pragma once

#include <string_view>

#include "libs/base/clock.h"

namespace ridestream {

/// A peer's answer to the question for its time, with the times of ours around it.
struct ClockReading {
  Time asked_at;
  Time answered_at;
  Time peer_time;
  /// Speed of the peer's clock relative to the wall clock.
  double peer_rate = 1;
};

/// How well two clocks agree.
enum class ClockVerdict {
  /// Both clocks show the same time.
  kAgree,
  /// The clocks differ, and the peer's times must be translated.
  kDiffer,
  /// No translation makes sense of the peer's times: it runs at another rate, or the clocks are
  /// further apart than ClockOffset::kMaxOffset.
  kUnusable,
};
/// "agree", "differ" or "unusable".
std::string_view ToString(ClockVerdict verdict);

/// How far a peer's clock is ahead of ours. All durations are of the clocks, so a difference of a
/// second on the wall is one of ten at clock rate 10. Not thread-safe.
class ClockOffset {
 public:
  /// Clocks that are no further apart than this agree.
  static constexpr Duration kTolerance = std::chrono::seconds(2);
  /// Clocks that are further apart than this can't be used together.
  static constexpr Duration kMaxOffset = std::chrono::hours(1);

  /// `rate` is that of our clock.
  explicit ClockOffset(double rate) : rate_(rate) {}

  /// A reading's error is half of the time that the answer took.
  void Take(const ClockReading& reading);

  /// By how much the peer's clock is ahead of ours; negative if it is behind. It stays as it is
  /// while readings don't contradict it, so that a time is translated in the same way each time.
  Duration ahead() const { return ahead_; }
  ClockVerdict verdict() const;
  double peer_rate() const { return peer_rate_; }

 private:
  const double rate_;
  double peer_rate_ = rate_;
  Duration ahead_{};
};

}  // namespace ridestream
