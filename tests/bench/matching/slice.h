#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/roads/engine/router.h"
#include "loadtest/demand/demand.h"
#include "services/dispatch/domain/plan/driver_plan.h"
#include "services/trip/domain/promise.h"

/// The static problem of shared rides, for tests: all riders request at once, all cars stand still,
/// and the total cost of the plans must be minimal.
namespace ridestream::bench {

struct SliceRider {
  LatLng pickup;
  LatLng dropoff;
  Duration direct{};
  /// The latest arrival of the car, from the start.
  Duration latest_pickup{};
  Duration latest_dropoff{};
};

struct Slice {
  /// At most 64, because sets of riders are bit sets.
  std::vector<SliceRider> riders;
  std::vector<loadtest::FleetPlace> cars;
  dispatch::Dwell dwell;
  /// The cost of leaving a rider unserved, besides the direct ride.
  Duration unserved{};

  // Travel times between the cars' places, the pick-ups and the drop-offs, in this order.
  std::vector<std::uint32_t> ms;
  std::size_t CarPlace(std::size_t car) const { return car; }
  std::size_t Pickup(std::size_t rider) const { return cars.size() + rider; }
  std::size_t Dropoff(std::size_t rider) const { return cars.size() + riders.size() + rider; }
  Duration Between(std::size_t from, std::size_t to) const;
};

/// Makes a slice of these riders, without those who have no route. All parties are of one.
Slice MakeSlice(const roads::Router& router, const std::vector<loadtest::Request>& requests,
                std::vector<loadtest::FleetPlace> cars, const trip::SharingTerms& terms,
                const dispatch::Dwell& dwell, Duration unserved);

/// A stop: the rider, and whether it is the pick-up.
struct SliceStop {
  std::size_t rider = 0;
  bool pickup = false;
};

/// The cost of the car's plan: its driving time, plus the delay of its riders' arrivals compared
/// with an immediate direct ride. nullopt if the plan breaks a promise or needs too many seats.
std::optional<Duration> CostOf(const Slice& slice, std::size_t car,
                               const std::vector<SliceStop>& stops);

struct SliceOptimum {
  Duration cost{};
  std::size_t served = 0;
  /// Number of pairs of a car and a set of riders that it can serve, each with its best plan.
  std::size_t columns = 0;
};

/// The exact optimum: for each car all sets of riders that it can serve as promised, by dynamic
/// programming over (picked up, aboard, place) with undominated times and costs, and then the
/// cheapest partition of the riders. nullopt if there are more than `max_columns` such sets, or the
/// optimum wasn't proven.
std::optional<SliceOptimum> FindOptimum(const Slice& slice, std::size_t max_columns);

}  // namespace ridestream::bench
