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

/// The static problem behind shared rides: all riders ask at once, all cars stand where they are,
/// and the plans are to be made that cost least. For tests.
namespace ridestream::bench {

struct SliceRider {
  LatLng pickup;
  LatLng dropoff;
  Duration direct{};
  /// The car's latest arrival, from the begin.
  Duration latest_pickup{};
  Duration latest_dropoff{};
};

struct Slice {
  /// At most 64, since sets of riders are bits.
  std::vector<SliceRider> riders;
  std::vector<loadtest::FleetPlace> cars;
  dispatch::Dwell dwell;
  /// What it costs to leave a rider, beside the direct ride.
  Duration unserved{};

  // Travel times between the cars' places, the pick-ups and the drop-offs, in this order.
  std::vector<std::uint32_t> ms;
  std::size_t CarPlace(std::size_t car) const { return car; }
  std::size_t Pickup(std::size_t rider) const { return cars.size() + rider; }
  std::size_t Dropoff(std::size_t rider) const { return cars.size() + riders.size() + rider; }
  Duration Between(std::size_t from, std::size_t to) const;
};

/// Riders for whom there is no way are left out. All in party of one.
Slice MakeSlice(const roads::Router& router, const std::vector<loadtest::Request>& requests,
                std::vector<loadtest::FleetPlace> cars, const trip::SharingTerms& terms,
                const dispatch::Dwell& dwell, Duration unserved);

/// A stop: the rider, and whether it is the pick-up.
struct SliceStop {
  std::size_t rider = 0;
  bool pickup = false;
};

/// What the car's plan costs: the time it drives, and the time that its riders are at their
/// destination later than if they had been driven there directly and at once. Nothing if it breaks
/// a promise or has not enough seats.
std::optional<Duration> CostOf(const Slice& slice, std::size_t car,
                               const std::vector<SliceStop>& stops);

struct SliceOptimum {
  Duration cost{};
  std::size_t served = 0;
  /// Cars with the riders that they could serve, each by its best plan.
  std::size_t columns = 0;
};

/// Exact: for each car all sets of riders that it can serve as promised, by a dynamic programme
/// over (picked up, aboard, place) with undominated times and costs, and then the cheapest
/// partition of the riders. Nothing if there are more than `max_columns` such sets, or the optimum
/// wasn't proven.
std::optional<SliceOptimum> FindOptimum(const Slice& slice, std::size_t max_columns);

}  // namespace ridestream::bench
