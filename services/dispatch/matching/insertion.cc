#include "services/dispatch/matching/insertion.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "absl/container/inlined_vector.h"
#include "services/dispatch/matching/costs.h"

namespace ridestream::dispatch {
namespace {

/// Longer than any promised or travelled time.
constexpr Duration kUnbounded = TravelTimes::kNoWay;

/// Enough for the stops of most plans.
constexpr std::size_t kFewStops = 13;

std::int64_t GettingOut(const CarStop& stop) { return std::max(0, -stop.riders); }

/// A plan as a chain of nodes: the car, then its stops. For an insertion it keeps the slack of each
/// gap between two nodes.
class Chain {
 public:
  explicit Chain(const RunningCar& car) : car_(car), behind_(size() + 1) {
    for (std::size_t node = size(); node-- > 1;) {
      const CarStop& stop = car_.stops[node - 1];
      const Duration own =
          stop.latest == Time::max() ? kUnbounded : Duration(stop.latest - stop.arrival);
      behind_[node].slack = std::min(behind_[node + 1].slack, own);
      behind_[node].people = behind_[node + 1].people + GettingOut(stop);
    }
  }

  std::size_t size() const { return car_.stops.size() + 1; }
  bool IsLast(std::size_t node) const { return node + 1 == size(); }
  PlaceIndex place(std::size_t node) const {
    return node == 0 ? car_.place : car_.stops[node - 1].place;
  }
  Time leaves(std::size_t node) const {
    return node == 0 ? car_.leaves : car_.stops[node - 1].arrival + car_.stops[node - 1].dwell;
  }
  /// Maximum delay of all stops after the node.
  Duration SlackBehind(std::size_t node) const { return behind_[node + 1].slack; }
  /// Cost of delaying all stops after the node, without the driving.
  Duration CostOfDelay(std::size_t node, Duration delay) const {
    return CostOfTime(delay, behind_[node + 1].people);
  }
  /// Travel time from the node to the next one.
  Duration Leg(std::size_t node) const { return car_.stops[node].arrival - leaves(node); }

  /// Additional time of driving through `via`, with a stop of `dwell`, instead of directly to the
  /// next node.
  Duration Detour(std::size_t node, Duration there, PlaceIndex via, Duration dwell,
                  TravelTimes& times) const {
    if (IsLast(node)) return there + dwell;
    return there + dwell + times.Between(via, place(node + 1)) - Leg(node);
  }

 private:
  struct Behind {
    Duration slack = kUnbounded;
    /// Number of people who get out.
    std::int64_t people = 0;
  };
  const RunningCar& car_;
  /// For each node, the sum from there on. The additional last element is 0.
  absl::InlinedVector<Behind, kFewStops> behind_;
};

struct PickUp {
  std::size_t after = 0;
  Duration detour{};
  /// Cost of the detour to everybody.
  Duration cost{};
  Time at;
};

/// Pick-ups of which none is dominated, that is, has both a longer detour and a higher cost than
/// another. Sorted by ascending detour, and therefore by descending cost.
class PickUps {
 public:
  bool empty() const { return kept_.empty(); }
  void clear() { kept_.clear(); }
  /// Returns the cheapest pick-up with at most this detour; null if there is none.
  const PickUp* Cheapest(Duration longest) const {
    const auto longer = FirstLonger(longest);
    return longer == kept_.begin() ? nullptr : &*(longer - 1);
  }
  void Add(const PickUp& pickup) {
    auto end = FirstLonger(pickup.detour);
    if (end != kept_.begin() && (end - 1)->cost <= pickup.cost) return;
    auto begin = end;
    while (begin != kept_.begin() && (begin - 1)->detour == pickup.detour) --begin;
    while (end != kept_.end() && end->cost >= pickup.cost) ++end;
    kept_.insert(kept_.erase(begin, end), pickup);
  }

 private:
  using Kept = absl::InlinedVector<PickUp, 4>;
  Kept::const_iterator FirstLonger(Duration detour) const {
    return std::upper_bound(kept_.begin(), kept_.end(), detour,
                            [](Duration d, const PickUp& pickup) { return d < pickup.detour; });
  }
  Kept kept_;
};

bool IsBetter(const Insertion& a, const std::optional<Insertion>& b) {
  return !b || std::tie(a.cost, a.dropoff_after, a.pickup_after) <
                   std::tie(b->cost, b->dropoff_after, b->pickup_after);
}

}  // namespace

std::optional<Insertion> FindInsertion(const RunningCar& car, const InsertedRider& rider,
                                       TravelTimes& times) {
  const Chain chain(car);
  std::optional<Insertion> best;
  const auto offer = [&](const PickUp& pickup, std::size_t dropoff_after, Time dropoff_at,
                         Duration added, Duration cost) {
    if (dropoff_at > rider.latest_dropoff || added > chain.SlackBehind(dropoff_after)) return;
    const Insertion insertion{pickup.after, dropoff_after, added, pickup.at, dropoff_at, cost};
    if (IsBetter(insertion, best)) best = insertion;
  };
  const auto cost_of = [&](std::size_t node, Duration detour) {
    return CostOfDriving(detour, rider.driving) + chain.CostOfDelay(node, detour);
  };
  const auto own = [&](Time there_at) {
    return CostOfTime(there_at - rider.asked_at, rider.party_size);
  };

  // Pick-ups before the node, with the rider still aboard.
  PickUps earlier;
  std::int64_t aboard = car.aboard;
  for (std::size_t node = 0; node < chain.size(); ++node) {
    if (node > 0) aboard += car.stops[node - 1].riders;
    if (node < car.fixed_stops) continue;
    if (aboard + rider.party_size > car.seats) {
      earlier.clear();
      continue;
    }
    const Time leaves = chain.leaves(node);
    if (earlier.Cheapest(rider.latest_dropoff - leaves) != nullptr) {
      const Duration there = times.Between(chain.place(node), rider.dropoff);
      const Duration detour = chain.Detour(node, there, rider.dropoff, rider.dropoff_dwell, times);
      const Duration longest = std::min<Duration>(rider.latest_dropoff - leaves - there,
                                                  chain.SlackBehind(node) - detour);
      if (const PickUp* pickup = earlier.Cheapest(longest)) {
        offer(*pickup, node, leaves + pickup->detour + there, pickup->detour + detour,
              pickup->cost + cost_of(node, detour) + own(leaves + there));
      }
    }
    if (leaves > rider.latest_pickup) {
      if (earlier.empty()) break;
      continue;
    }
    const Duration there = times.Between(chain.place(node), rider.pickup);
    PickUp pickup{node, there + rider.pickup_dwell, {}, leaves + there};
    if (pickup.at > rider.latest_pickup) continue;
    // The drop-off immediately after the pick-up.
    const Duration ride = times.Between(rider.pickup, rider.dropoff);
    const Duration both =
        chain.Detour(node, pickup.detour + ride, rider.dropoff, rider.dropoff_dwell, times);
    const Time there_at = pickup.at + rider.pickup_dwell + ride;
    offer(pickup, node, there_at, both, cost_of(node, both) + own(there_at));
    // Or after a later stop.
    if (chain.IsLast(node)) break;
    pickup.detour = chain.Detour(node, there, rider.pickup, rider.pickup_dwell, times);
    if (pickup.detour > chain.SlackBehind(node)) continue;
    // The detour delays the rider as well.
    pickup.cost = cost_of(node, pickup.detour) + CostOfTime(pickup.detour, rider.party_size);
    earlier.Add(pickup);
  }
  return best;
}

std::vector<CarInsertion> FindInsertions(std::span<const RunningCar> cars,
                                         const InsertedRider& rider, std::size_t limit,
                                         TravelTimes& optimistic, TravelTimes& times) {
  struct Bound {
    Duration cost;
    std::size_t car;
  };
  std::vector<Bound> bounds;
  for (std::size_t i = 0; i < cars.size(); ++i) {
    if (const auto hope = FindInsertion(cars[i], rider, optimistic)) {
      bounds.push_back({hope->cost, i});
    }
  }
  std::sort(bounds.begin(), bounds.end(), [](const Bound& a, const Bound& b) {
    return std::tie(a.cost, a.car) < std::tie(b.cost, b.car);
  });

  const auto is_before = [](const CarInsertion& a, const CarInsertion& b) {
    return std::tie(a.insertion.cost, a.car) < std::tie(b.insertion.cost, b.car);
  };
  std::vector<CarInsertion> best;  // Ascending.
  for (const Bound& bound : bounds) {
    if (best.size() == limit && (limit == 0 || bound.cost > best.back().insertion.cost)) break;
    const auto insertion = FindInsertion(cars[bound.car], rider, times);
    if (!insertion) continue;
    CarInsertion found{bound.car, *insertion};
    best.insert(std::upper_bound(best.begin(), best.end(), found, is_before), found);
    if (best.size() > limit) best.pop_back();
  }
  return best;
}

RunningCar Without(const RunningCar& car, std::span<const std::size_t> stops, TravelTimes& times) {
  RunningCar rest = car;
  rest.stops.clear();
  Time leaves = car.leaves;
  PlaceIndex place = car.place;
  for (std::size_t i = 0; i < car.stops.size(); ++i) {
    if (std::find(stops.begin(), stops.end(), i) != stops.end()) continue;
    CarStop& stop = rest.stops.emplace_back(car.stops[i]);
    stop.arrival = leaves + times.Between(place, stop.place);
    leaves = stop.arrival + stop.dwell;
    place = stop.place;
  }
  return rest;
}

Duration WorthOfRemoving(const RunningCar& car, std::span<const std::size_t> stops, Time asked_at,
                         double driving, TravelTimes& times) {
  const RunningCar rest = Without(car, stops, times);
  const auto lateness = [&](const RunningCar& plan) {
    Duration sum{};
    for (const CarStop& stop : plan.stops)
      sum += CostOfTime(stop.arrival - asked_at, GettingOut(stop));
    return sum;
  };
  const auto ends = [](const RunningCar& plan) {
    return plan.stops.empty() ? plan.leaves : plan.stops.back().arrival + plan.stops.back().dwell;
  };
  return lateness(car) - lateness(rest) + CostOfDriving(ends(car) - ends(rest), driving);
}

}  // namespace ridestream::dispatch
