#include "services/dispatch/domain/promises/rider_etas.h"

namespace ridestream::dispatch {

Time RiderEtas::Update(const TripId& trip, trip::v1::TripState state, Time expected) {
  Told& told = told_[trip];
  if (told.state != state) {
    told = {state, expected};
  } else if (state == trip::v1::TRIP_STATE_ARRIVED) {
    return told.arrives_at;  // The car has arrived, however long it waits.
  } else if (expected - told.arrives_at >= kSignificantChange ||
             told.arrives_at - expected >= kSignificantChange) {
    told.arrives_at = expected;
    ++corrections_;
  }
  return told.arrives_at;
}

}  // namespace ridestream::dispatch
