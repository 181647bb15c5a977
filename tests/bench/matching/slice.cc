#include "tests/bench/matching/slice.h"

#include <algorithm>
#include <bit>
#include <map>
#include <tuple>

#include "tests/bench/matching/cbc_oracle.h"

namespace ridestream::bench {
namespace {

/// The progress of a car. Sets of riders are bits.
struct CarState {
  std::uint64_t picked_up = 0;
  std::uint64_t aboard = 0;
  std::size_t place = 0;

  friend auto operator<=>(const CarState&, const CarState&) = default;
};
/// When the car can drive on, and its cost so far.
struct Label {
  Duration at{};
  Duration cost{};
};
using Labels = std::map<CarState, std::vector<Label>>;

/// Appends the stop; false if that breaks a promise or exceeds the seats.
bool MakeStop(const Slice& slice, std::size_t seats, const SliceStop& stop, CarState& state,
              Label& label) {
  const std::uint64_t bit = std::uint64_t{1} << stop.rider;
  const SliceRider& rider = slice.riders[stop.rider];
  const std::size_t place = stop.pickup ? slice.Pickup(stop.rider) : slice.Dropoff(stop.rider);
  const Duration drive = slice.Between(state.place, place);
  label.at += drive;
  label.cost += drive;
  if (label.at > (stop.pickup ? rider.latest_pickup : rider.latest_dropoff)) return false;
  if (stop.pickup) {
    state.picked_up |= bit;
    label.at += slice.dwell.pickup;
  } else {
    label.cost += label.at - rider.direct;
    label.at += slice.dwell.dropoff;
  }
  state.aboard ^= bit;
  state.place = place;
  return static_cast<std::size_t>(std::popcount(state.aboard)) <= seats;
}

void Keep(const Label& label, std::vector<Label>& labels) {
  const auto is_worse = [](const Label& a, const Label& b) {
    return a.at >= b.at && a.cost >= b.cost;
  };
  if (std::any_of(labels.begin(), labels.end(), [&](const Label& l) { return is_worse(label, l); }))
    return;
  std::erase_if(labels, [&](const Label& l) { return is_worse(l, label); });
  labels.push_back(label);
}

/// The lowest cost by the set of riders served.
std::map<std::uint64_t, Duration> ServableBy(const Slice& slice, std::size_t car,
                                             std::size_t max_sets) {
  std::map<std::uint64_t, Duration> best;
  Labels layer{{{0, 0, slice.CarPlace(car)}, {{}}}};
  while (!layer.empty() && best.size() <= max_sets) {
    Labels next;
    for (const auto& [state, labels] : layer) {
      for (std::size_t rider = 0; rider < slice.riders.size(); ++rider) {
        const std::uint64_t bit = std::uint64_t{1} << rider;
        const bool pickup = (state.picked_up & bit) == 0;
        if (!pickup && (state.aboard & bit) == 0) continue;  // Was already there.
        for (Label label : labels) {
          CarState then = state;
          if (!MakeStop(slice, slice.cars[car].seats, {rider, pickup}, then, label)) continue;
          Keep(label, next[then]);
        }
      }
    }
    for (const auto& [state, labels] : next) {
      if (state.aboard != 0) continue;
      for (const Label& label : labels) {
        const auto [set, is_new] = best.try_emplace(state.picked_up, label.cost);
        if (!is_new) set->second = std::min(set->second, label.cost);
      }
    }
    layer = std::move(next);
  }
  return best;
}

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Duration Slice::Between(std::size_t from, std::size_t to) const {
  return std::chrono::milliseconds(ms[from * (cars.size() + 2 * riders.size()) + to]);
}

Slice MakeSlice(const roads::Router& router, const std::vector<loadtest::Request>& requests,
                std::vector<loadtest::FleetPlace> cars, const trip::SharingTerms& terms,
                const dispatch::Dwell& dwell, Duration unserved) {
  Slice slice{{}, std::move(cars), dwell, unserved, {}};
  for (const loadtest::Request& request : requests) {
    const auto direct = router.TravelTime(request.pickup, request.dropoff);
    if (!direct.ok()) continue;
    const auto direct_ms = std::chrono::round<std::chrono::milliseconds>(*direct);
    const Duration detour =
        std::max<Duration>(terms.min_detour, direct_ms * terms.detour_percent / 100);
    slice.riders.push_back({request.pickup, request.dropoff, *direct, terms.pickup_within,
                            terms.pickup_within + direct_ms + detour - dwell.dropoff});
  }
  std::vector<roads::SnappedPoint> places;
  const auto add = [&](LatLng place) { places.push_back(*router.snapper().Nearest(place)); };
  for (const loadtest::FleetPlace& car : slice.cars) add(car.place);
  for (const SliceRider& rider : slice.riders) add(rider.pickup);
  for (const SliceRider& rider : slice.riders) add(rider.dropoff);
  slice.ms = router.MsTable(places, places);
  return slice;
}

std::optional<Duration> CostOf(const Slice& slice, std::size_t car,
                               const std::vector<SliceStop>& stops) {
  CarState state{0, 0, slice.CarPlace(car)};
  Label label;
  for (const SliceStop& stop : stops) {
    if (!MakeStop(slice, slice.cars[car].seats, stop, state, label)) return std::nullopt;
  }
  return label.cost;
}

std::optional<SliceOptimum> FindOptimum(const Slice& slice, std::size_t max_columns) {
  const std::size_t riders = slice.riders.size();
  std::vector<PartitionColumn> columns;
  std::vector<Duration> costs;
  for (std::size_t rider = 0; rider < riders; ++rider) {
    costs.push_back(slice.unserved + slice.riders[rider].direct);
    columns.push_back({{rider}, Seconds(costs.back())});
  }
  for (std::size_t car = 0; car < slice.cars.size(); ++car) {
    for (const auto& [set, cost] : ServableBy(slice, car, max_columns)) {
      PartitionColumn& column =
          columns.emplace_back(PartitionColumn{{riders + car}, Seconds(cost)});
      for (std::size_t rider = 0; rider < riders; ++rider) {
        if ((set >> rider & 1) != 0) column.rows.push_back(rider);
      }
      costs.push_back(cost);
    }
    if (columns.size() > max_columns) return std::nullopt;
  }
  const auto chosen = CheapestPartition(riders + slice.cars.size(), riders, columns);
  if (!chosen) return std::nullopt;
  SliceOptimum optimum{{}, riders, columns.size()};
  for (const std::size_t column : *chosen) {
    optimum.cost += costs[column];
    if (column < riders) --optimum.served;
  }
  return optimum;
}

}  // namespace ridestream::bench
