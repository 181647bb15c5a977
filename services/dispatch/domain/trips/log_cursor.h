#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// How far a market has followed trip's log, over all the streams on which it does. It moves when
/// an event has been taken, not when it was read: what was read and couldn't be taken comes again.
/// Not thread-safe.
class LogCursor {
 public:
  /// Where the next stream is to begin.
  void FillIn(trip::v1::FollowTripsRequest& request) const;
  /// The event of that sequence is the market's now, or it has caught up to there.
  void Took(std::uint64_t sequence);
  /// The stream ended so.
  void OnEnd(const absl::Status& status);

  /// Sequence of the last event taken; 0 before the first.
  std::uint64_t sequence() const { return sequence_; }

 private:
  std::uint64_t sequence_ = 0;
};

}  // namespace ridestream::dispatch
