#include "services/dispatch/domain/trips/log_cursor.h"

#include <algorithm>

namespace ridestream::dispatch {

void LogCursor::FillIn(trip::v1::FollowTripsRequest& request) const {
  if (sequence_ == 0) {
    request.set_oldest_open(true);
  } else {
    request.set_after_sequence(sequence_);
  }
}

void LogCursor::Took(std::uint64_t sequence) { sequence_ = std::max(sequence_, sequence); }

void LogCursor::OnEnd(const absl::Status& status) {
  // The trip service has a different log than before: start with its open trips.
  if (absl::IsOutOfRange(status)) sequence_ = 0;
}

}  // namespace ridestream::dispatch
