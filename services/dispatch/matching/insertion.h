#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "services/dispatch/matching/travel_times.h"

/// Putting one more rider into a plan under way, at the least additional driving, so that everybody
/// is there when they were promised and has a seat.
namespace ridestream::dispatch {

/// A stop of a plan under way.
struct CarStop {
  PlaceIndex place = 0;
  /// People who get in, or (negative) out.
  std::int32_t riders = 0;
  /// In the present plan.
  Time arrival;
  /// The car's latest arrival; Time::max() where nothing was promised.
  Time latest = Time::max();
  /// Dwell of the car there.
  Duration dwell{};
};

/// A car with its plan. `aboard` and `seats` count people.
struct RunningCar {
  PlaceIndex place = 0;
  /// When it will be at `place`, ready to go somewhere else.
  Time leaves;
  std::uint32_t seats = 0;
  std::uint32_t aboard = 0;
  std::vector<CarStop> stops;
  /// Nothing may be put before this stop: the car stands at it or is about to.
  std::size_t fixed_stops = 0;
};

/// Somebody to be put into a plan.
struct InsertedRider {
  PlaceIndex pickup = 0;
  PlaceIndex dropoff = 0;
  std::uint32_t party_size = 1;
  Time latest_pickup;
  Time latest_dropoff;
  Duration pickup_dwell{};
  Duration dropoff_dwell{};
  /// From when the rider's own time counts.
  Time asked_at{};
  /// What a second of driving costs, beside one by which somebody gets out later; not negative.
  double driving = 1;
};

struct Insertion {
  /// Stops of the plan before the pick-up, and before the drop-off; pickup_after <= dropoff_after.
  std::size_t pickup_after = 0;
  std::size_t dropoff_after = 0;
  /// What the plan takes longer, stops included.
  Duration added{};
  Time pickup_at;
  Time dropoff_at;
  /// The terms detour, delay and own time of costs.h.
  Duration cost{};

  friend bool operator==(const Insertion&, const Insertion&) = default;
};

/// The insertion into one plan that costs least; nullopt if there is none that keeps all promises
/// and seats. The stops' order stays. Of equally good ones that with the earlier drop-off, then
/// pick-up. Linear in the number of stops: a dynamic programme over the drop-off's place that
/// carries the pick-ups before it, after Tong et al., "A Unified Approach to Route Planning for
/// Shared Mobility", VLDB 2018. They carry the shortest detour; here a longer one that delays fewer
/// people is carried beside it, so at most one for each number of people.
std::optional<Insertion> FindInsertion(const RunningCar& car, const InsertedRider& rider,
                                       TravelTimes& times);

struct CarInsertion {
  /// Index of the car.
  std::size_t car = 0;
  Insertion insertion;
};

/// The `limit` cars into whose plans the rider fits at the least cost, the best first, equally good
/// ones in their order. `optimistic` must never be longer than `times`: it tells cheaply which cars
/// needn't be looked at, and in which order to look at the others.
std::vector<CarInsertion> FindInsertions(std::span<const RunningCar> cars,
                                         const InsertedRider& rider, std::size_t limit,
                                         TravelTimes& optimistic, TravelTimes& times);

/// The car with a plan without these stops, given by their indexes.
RunningCar Without(const RunningCar& car, std::span<const std::size_t> stops, TravelTimes& times);

/// What a plan costs less without these stops of one rider, counted as Insertion::cost: so much may
/// the rider's insertion into another plan cost.
Duration WorthOfRemoving(const RunningCar& car, std::span<const std::size_t> stops, Time asked_at,
                         double driving, TravelTimes& times);

}  // namespace ridestream::dispatch
