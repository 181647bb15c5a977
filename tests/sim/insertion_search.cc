#include "tests/sim/insertion_search.h"

namespace ridestream::sim {

using dispatch::CandidatesFound;
using dispatch::FindCandidates;
using dispatch::InsertedRider;
using dispatch::InsertionFound;
using dispatch::RunningCar;
using dispatch::SharedCar;
using dispatch::SharedRide;

void InsertionSearch::Begin(const FindCandidates& round) {
  round_ = &round;
  cars_.clear();
  places_.Clear();
  for (const SharedCar& shared : round.cars) {
    RunningCar& car = cars_.emplace_back(shared.car);
    car.place = places_.Add(shared.position);
    for (std::size_t i = 0; i < car.stops.size(); ++i) {
      car.stops[i].place = places_.Add(shared.places[i]);
    }
  }
}

std::vector<InsertionFound> InsertionSearch::Find(const SharedRide& ride, const DriverId& except) {
  std::vector<InsertionFound> insertions;
  const InsertedRider rider{
      places_.Add(ride.pickup), places_.Add(ride.dropoff), ride.party_size,
      ride.latest_pickup,       ride.latest_dropoff,       round_->pickup_dwell,
      round_->dropoff_dwell,    round_->asked_at,          round_->driving};
  for (const auto& found : dispatch::FindInsertions(cars_, rider, limit_, places_, places_)) {
    const SharedCar& car = round_->cars[found.car];
    if (car.driver != except) {
      insertions.push_back({car.driver, car.plan_revision, found.insertion});
    }
  }
  return insertions;
}

CandidatesFound::ForMove InsertionSearch::FindMove(const FindCandidates::Move& move) {
  for (std::size_t car = 0; car < cars_.size(); ++car) {
    if (round_->cars[car].driver != move.from) continue;
    return {move.trip, SparedWithout(car, move.trip), Find(move.ride, move.from)};
  }
  return {move.trip, Duration::zero(), {}};
}

Duration InsertionSearch::SparedWithout(std::size_t car, const TripId& trip) {
  std::vector<std::size_t> stops;
  for (std::size_t i = 0; i < round_->cars[car].trips.size(); ++i) {
    if (round_->cars[car].trips[i] == trip) stops.push_back(i);
  }
  return dispatch::WorthOfRemoving(cars_[car], stops, round_->asked_at, round_->driving, places_);
}

}  // namespace ridestream::sim
