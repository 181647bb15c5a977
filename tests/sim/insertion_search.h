#pragma once

#include <cstddef>
#include <vector>

#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/market_events.h"
#include "services/dispatch/matching/insertion.h"
#include "tests/sim/plain_city.h"

namespace ridestream::sim {

/// Looks in a round's plans under way for places where riders who share could be put, as dispatch's
/// RoundSearch does on streets; nobody makes room for others here. Not thread-safe.
class InsertionSearch {
 public:
  /// `limit`: cars that are named to a rider, at most.
  explicit InsertionSearch(std::size_t limit) : limit_(limit) {}

  /// The round must outlive the search in it.
  void Begin(const dispatch::FindCandidates& round);
  /// The cars that the rider fits into at the least additional driving, the best first.
  std::vector<dispatch::InsertionFound> Find(const dispatch::SharedRide& ride) {
    return Find(ride, {});
  }
  /// The same for a rider who has a driver already, whose car isn't among them, nor is anything
  /// found if it isn't among those of the round.
  dispatch::CandidatesFound::ForMove FindMove(const dispatch::FindCandidates::Move& move);

 private:
  std::vector<dispatch::InsertionFound> Find(const dispatch::SharedRide& ride,
                                             const DriverId& except);
  /// What the car's plan costs less without the trip.
  Duration SparedWithout(std::size_t car, const TripId& trip);

  PlainPlaces places_;
  const std::size_t limit_;
  const dispatch::FindCandidates* round_ = nullptr;
  std::vector<dispatch::RunningCar> cars_;
};

}  // namespace ridestream::sim
