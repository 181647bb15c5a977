#pragma once

#include <string_view>

#include "libs/base/clock.h"

namespace ridestream {

/// A peer's answer to a request for its time, with our times before and after.
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
  /// The peer's times can't be translated: its rate differs, or the clocks differ by more than
  /// ClockOffset::kMaxOffset.
  kUnusable,
};
/// "agree", "differ" or "unusable".
std::string_view ToString(ClockVerdict verdict);

/// Estimates how far a peer's clock is ahead of ours. All durations are of the clocks: a difference
/// of one second of wall time is ten seconds at clock rate 10. Not thread-safe.
class ClockOffset {
 public:
  /// Clocks that differ by at most this agree.
  static constexpr Duration kTolerance = std::chrono::seconds(2);
  /// Clocks that differ by more than this can't be used together.
  static constexpr Duration kMaxOffset = std::chrono::hours(1);

  /// `rate` is the rate of our clock.
  explicit ClockOffset(double rate) : rate_(rate) {}

  /// Adds a reading. Its error is half of the round-trip time.
  void Add(const ClockReading& reading);

  /// How far the peer's clock is ahead of ours; negative if it is behind. The estimate changes only
  /// when a reading contradicts it, so that a time is always translated in the same way.
  Duration ahead() const { return ahead_; }
  ClockVerdict verdict() const;
  double peer_rate() const { return peer_rate_; }

 private:
  const double rate_;
  double peer_rate_ = rate_;
  Duration ahead_{};
};

}  // namespace ridestream
