#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// A market's position in the trip log, across all streams. It advances when the market has
/// accepted an event, not when the event was read, so an event that couldn't be accepted is
/// delivered again. Not thread-safe.
class LogCursor {
 public:
  /// Where the next stream has to begin.
  void FillIn(trip::v1::FollowTripsRequest& request) const;
  /// The market has accepted the event with this sequence, or has caught up to it.
  void Took(std::uint64_t sequence);
  /// The stream ended with this status.
  void OnEnd(const absl::Status& status);

  /// Sequence of the last accepted event; 0 before the first.
  std::uint64_t sequence() const { return sequence_; }

 private:
  std::uint64_t sequence_ = 0;
};

}  // namespace ridestream::dispatch
