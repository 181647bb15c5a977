#include "services/dispatch/domain/promises/rider_etas.h"

namespace ridestream::dispatch {

Time RiderEtas::Update(const TripId& trip, trip::v1::TripState state, Time expected) {
  Sent& sent = sent_[trip];
  if (sent.state != state) {
    sent = {state, expected};
  } else if (state == trip::v1::TRIP_STATE_ARRIVED) {
    return sent.arrives_at;  // The car has arrived, however long it waits.
  } else if (expected - sent.arrives_at >= kSignificantChange ||
             sent.arrives_at - expected >= kSignificantChange) {
    sent.arrives_at = expected;
    ++corrections_;
  }
  return sent.arrives_at;
}

}  // namespace ridestream::dispatch
