#pragma once

#include <chrono>
#include <cstdint>

#include "libs/base/clock.h"

/// The costs of assigning a trip to a driver and of leaving it waiting. Durations are converted to
/// costs here and nowhere else.
/// A cost is a time: one second by which one person is later at the destination costs one second,
/// and one second that a car drives longer costs `driving` seconds. So a free driver, a place in a
/// plan under way, a move to another plan and another round of waiting can be held against each
/// other.
///
// clang-format off
/// The terms. `party` counts people; people behind are those who get out at later stops.
///
/// | term          | in the cost of | amount                               | where the time comes from                         |
/// |---------------|----------------|--------------------------------------|---------------------------------------------------|
/// | pick-up       | free driver    | travel time x party                  | the streets, exact, from the car to the pick-up   |
/// | driving       | free driver    | (travel time + direct) x `driving`   | the same; direct is the quote's duration          |
/// | refusals      | free driver    | (1 - a) / a x `refusal`              | a: the driver's own rate of acceptance            |
/// | detour        | insertion      | what the plan takes longer x `driving` | the streets along the plan, with stops          |
/// | delay         | insertion      | what the plan takes longer x people  | the same; people behind the new stops             |
/// | own time      | insertion      | (drop-off - asked at) x party        | the same; counts the rider's direct ride as well  |
/// | uncounted     | insertion      | - (direct + pick-up dwell) x party - both dwells x `driving` | subtracted: a free driver's cost has neither |
/// | unmatched     | waiting        | `unmatched` x party                  | --unmatched_cost                                  |
/// | ageing        | waiting        | waited x `ageing` x party            | the request's time in trip's record               |
/// | unserved ride | waiting        | direct x `driving`                   | the quote's duration: the ride is driven later    |
///
/// The weights and their defaults:
///
/// | weight       | default | unit                   | why                                                       |
/// |--------------|---------|------------------------|-----------------------------------------------------------|
/// | `driving`    | 1       | s of cost per s driven | `./ride bench matching --driving=X` compares others       |
/// | `refusal`    | 10 s    | s per refused offer    | most drivers answer within some seconds of the lease      |
/// | `unmatched`  | 10 min  | s per person and round | --unmatched_cost; `./ride bench matching --unmatched_s=X` |
/// | `ageing`     | 0.3     | s per s and person     | `./ride bench matching --ageing=X`                        |
/// | `least_gain` | 30 s    | s per move             | less isn't worth another driver to the rider              |
// clang-format on
namespace ridestream::dispatch {

/// Assumed dwell times of a car.
struct Dwell {
  Duration pickup = std::chrono::seconds(30);
  Duration dropoff = std::chrono::seconds(10);
};

/// The weights of the table above.
struct MatchingCosts {
  Duration refusal = std::chrono::seconds(10);
  Duration unmatched = std::chrono::minutes(10);
  double ageing = 0.3;
  double driving = 1;
  /// Minimum saving for which a trip changes its driver.
  Duration least_gain = std::chrono::seconds(30);
};

/// Inputs of a trip's costs that don't depend on the driver.
struct CostedTrip {
  std::uint32_t party_size = 1;
  /// Travel time of the direct route from pick-up to drop-off.
  Duration direct{};
  /// Time since the request.
  Duration waited{};
};

inline Duration Weigh(Duration time, double weight) {
  return std::chrono::round<Duration>(std::chrono::duration<double, Duration::period>(time) *
                                      weight);
}

/// Cost of this time for several people.
inline Duration CostOfTime(Duration time, std::int64_t people) { return time * people; }

/// Cost of a car's driving, stops included.
inline Duration CostOfDriving(Duration driven, double driving) { return Weigh(driven, driving); }

/// Total saving if a trip leaves its plan, which then costs `spared` less, and is inserted into
/// another one at the cost `insertion`.
inline Duration GainOfMove(Duration spared, Duration insertion) { return spared - insertion; }

/// Total saving if a rider leaves a plan, which then costs `worth` less, and another rider, who
/// costs `present` now, takes the freed capacity at the cost `inserted`.
inline Duration SparedByFreedCapacity(Duration worth, Duration present, Duration inserted) {
  return present - inserted + worth;
}

/// Sums the terms of the table above.
class Costs {
 public:
  Costs(const MatchingCosts& weights, const Dwell& dwell) : weights_(weights), dwell_(dwell) {}

  /// `acceptance` is the probability that the driver accepts, above 0 up to 1.
  Duration OfFreeDriver(const CostedTrip& trip, Duration travel_time, double acceptance) const;
  /// `insertion` is Insertion::cost.
  Duration OfInsertion(const CostedTrip& trip, Duration insertion) const;
  /// Cost of waiting for another round.
  Duration OfWaiting(const CostedTrip& trip) const;
  /// The Insertion::cost at which an insertion costs as much as waiting.
  Duration OfWaitingAsInsertion(const CostedTrip& trip) const;

  bool IsWorthMoving(Duration gain) const { return gain >= weights_.least_gain; }
  double driving() const { return weights_.driving; }

 private:
  /// The part of Insertion::cost that a free driver's cost doesn't include.
  Duration Uncounted(const CostedTrip& trip) const;

  MatchingCosts weights_;
  Dwell dwell_;
};

}  // namespace ridestream::dispatch
