#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "services/dispatch/matching/travel_times.h"

/// Inserts one more rider into a plan in progress, at the least additional cost, such that every
/// promise is kept and everybody has a seat.
namespace ridestream::dispatch {

/// A stop of a plan in progress.
struct CarStop {
  PlaceIndex place = 0;
  /// People who get in (positive) or out (negative).
  std::int32_t riders = 0;
  /// Arrival in the current plan.
  Time arrival;
  /// The car's latest arrival that keeps the promise; Time::max() without a promise.
  Time latest = Time::max();
  /// How long the car stands there.
  Duration dwell{};
};

/// A car with its plan. `aboard` and `seats` count people.
struct RunningCar {
  PlaceIndex place = 0;
  /// When the car will be at `place`, ready to leave.
  Time leaves;
  std::uint32_t seats = 0;
  std::uint32_t aboard = 0;
  std::vector<CarStop> stops;
  /// No stop may be inserted before this one, since the car is at it or about to arrive.
  std::size_t fixed_stops = 0;
};

/// A rider to be inserted into a plan.
struct InsertedRider {
  PlaceIndex pickup = 0;
  PlaceIndex dropoff = 0;
  std::uint32_t party_size = 1;
  Time latest_pickup;
  Time latest_dropoff;
  Duration pickup_dwell{};
  Duration dropoff_dwell{};
  /// The time from which the rider's own time counts.
  Time asked_at{};
  /// Cost of a second of driving, relative to a second by which one person gets out later. Not
  /// negative.
  double driving = 1;
};

struct Insertion {
  /// Number of the plan's stops before the pick-up, and before the drop-off; pickup_after <=
  /// dropoff_after.
  std::size_t pickup_after = 0;
  std::size_t dropoff_after = 0;
  /// How much longer the plan takes, stops included.
  Duration added{};
  Time pickup_at;
  Time dropoff_at;
  /// The terms detour, delay and own time of costs.h.
  Duration cost{};

  friend bool operator==(const Insertion&, const Insertion&) = default;
};

/// Finds the cheapest insertion into one plan; nullopt if none keeps all promises and fits the
/// seats. The order of the existing stops is kept. Of equally cheap insertions, the earlier
/// drop-off wins, then the earlier pick-up. Linear in the number of stops: a dynamic programme over
/// the position of the drop-off that carries the pick-ups before it, after Tong et al., "A Unified
/// Approach to Route Planning for Shared Mobility", VLDB 2018. Their algorithm carries the pick-up
/// with the shortest detour. This one also carries pick-ups with a longer detour that delay fewer
/// people, at most one for each number of people.
std::optional<Insertion> FindInsertion(const RunningCar& car, const InsertedRider& rider,
                                       TravelTimes& times);

struct CarInsertion {
  /// Index of the car in the list.
  std::size_t car = 0;
  Insertion insertion;
};

/// Finds the `limit` cars into whose plans the rider can be inserted at the least cost, cheapest
/// first, ties in the order of the cars. `optimistic` must be a lower bound of `times`. It is
/// cheap, and decides which cars are skipped and in which order the others are evaluated.
std::vector<CarInsertion> FindInsertions(std::span<const RunningCar> cars,
                                         const InsertedRider& rider, std::size_t limit,
                                         TravelTimes& optimistic, TravelTimes& times);

/// Returns the car with the stops of these indexes removed from its plan.
RunningCar Without(const RunningCar& car, std::span<const std::size_t> stops, TravelTimes& times);

/// Returns how much less a plan costs without these stops of one rider, in terms of
/// Insertion::cost. Moving the rider pays off if the insertion into another plan costs less than
/// this.
Duration WorthOfRemoving(const RunningCar& car, std::span<const std::size_t> stops, Time asked_at,
                         double driving, TravelTimes& times);

}  // namespace ridestream::dispatch
