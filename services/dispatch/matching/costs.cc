#include "services/dispatch/matching/costs.h"

namespace ridestream::dispatch {

Duration Costs::OfFreeDriver(const CostedTrip& trip, Duration travel_time,
                             double acceptance) const {
  const double refusals = (1 - acceptance) / acceptance;
  return CostOfTime(travel_time, trip.party_size) + Weigh(weights_.refusal, refusals) +
         CostOfDriving(travel_time + trip.direct, weights_.driving);
}

Duration Costs::OfInsertion(const CostedTrip& trip, Duration insertion) const {
  return insertion - Uncounted(trip);
}

Duration Costs::OfWaiting(const CostedTrip& trip) const {
  const Duration each = weights_.unmatched + Weigh(trip.waited, weights_.ageing);
  return CostOfTime(each, trip.party_size) + CostOfDriving(trip.direct, weights_.driving);
}

Duration Costs::OfWaitingAsInsertion(const CostedTrip& trip) const {
  return OfWaiting(trip) + Uncounted(trip);
}

Duration Costs::Uncounted(const CostedTrip& trip) const {
  return CostOfTime(trip.direct + dwell_.pickup, trip.party_size) +
         CostOfDriving(dwell_.pickup + dwell_.dropoff, weights_.driving);
}

}  // namespace ridestream::dispatch
