#include "services/dispatch/matching/insertion.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace ridestream::dispatch {
namespace {

/// More than any time that is promised or travelled.
constexpr Duration kUnbounded = TravelTimes::kNoWay;

/// A plan as a chain of nodes: the car, then its stops. What each gap between two bears is what an
/// insertion asks.
class Chain {
 public:
  explicit Chain(const RunningCar& car) : car_(car) {
    slack_.assign(size() + 1, kUnbounded);
    for (std::size_t node = size(); node-- > 1;) {
      const CarStop& stop = car_.stops[node - 1];
      const Duration own =
          stop.latest == Time::max() ? kUnbounded : Duration(stop.latest - stop.arrival);
      slack_[node] = std::min(slack_[node + 1], own);
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
  /// By how much all stops behind the node may be delayed.
  Duration SlackBehind(std::size_t node) const { return slack_[node + 1]; }
  /// From leaving the node to the next one's arrival.
  Duration Leg(std::size_t node) const { return car_.stops[node].arrival - leaves(node); }

  /// What the way over `via`, where the car stands for `dwell`, takes longer than the direct one to
  /// the next node.
  Duration Detour(std::size_t node, Duration there, PlaceIndex via, Duration dwell,
                  TravelTimes& times) const {
    if (IsLast(node)) return there + dwell;
    return there + dwell + times.Between(via, place(node + 1)) - Leg(node);
  }

 private:
  const RunningCar& car_;
  /// By node; one more, for nobody behind the last.
  std::vector<Duration> slack_;
};

struct PickUp {
  std::size_t after = 0;
  Duration detour{};
  Time at;
};

bool IsBetter(const Insertion& a, const std::optional<Insertion>& b) {
  return !b || std::tie(a.added, a.dropoff_after, a.pickup_after) <
                   std::tie(b->added, b->dropoff_after, b->pickup_after);
}

}  // namespace

std::optional<Insertion> FindInsertion(const RunningCar& car, const InsertedRider& rider,
                                       TravelTimes& times) {
  const Chain chain(car);
  std::optional<Insertion> best;
  const auto offer = [&](const PickUp& pickup, std::size_t dropoff_after, Time dropoff_at,
                         Duration added) {
    if (dropoff_at > rider.latest_dropoff || added > chain.SlackBehind(dropoff_after)) return;
    const Insertion insertion{pickup.after, dropoff_after, added, pickup.at, dropoff_at};
    if (IsBetter(insertion, best)) best = insertion;
  };

  // The best pick-up before the node whose rider is still aboard, if there is one.
  PickUp earlier;
  bool has_earlier = false;
  std::int64_t aboard = car.aboard;
  for (std::size_t node = 0; node < chain.size(); ++node) {
    if (node > 0) aboard += car.stops[node - 1].riders;
    if (node < car.fixed_stops) continue;
    if (aboard + rider.party_size > car.seats) {
      has_earlier = false;
      continue;
    }
    if (has_earlier && chain.leaves(node) + earlier.detour <= rider.latest_dropoff) {
      const Duration there = times.Between(chain.place(node), rider.dropoff);
      offer(earlier, node, chain.leaves(node) + earlier.detour + there,
            earlier.detour + chain.Detour(node, there, rider.dropoff, rider.dropoff_dwell, times));
    }
    if (chain.leaves(node) > rider.latest_pickup) {
      if (!has_earlier) break;
      continue;
    }
    const Duration there = times.Between(chain.place(node), rider.pickup);
    PickUp pickup{node, there + rider.pickup_dwell, chain.leaves(node) + there};
    if (pickup.at > rider.latest_pickup) continue;
    // The drop-off at once behind the pick-up.
    const Duration ride = times.Between(rider.pickup, rider.dropoff);
    offer(pickup, node, pickup.at + rider.pickup_dwell + ride,
          chain.Detour(node, pickup.detour + ride, rider.dropoff, rider.dropoff_dwell, times));
    // Or behind a later stop.
    if (chain.IsLast(node)) break;
    pickup.detour = chain.Detour(node, there, rider.pickup, rider.pickup_dwell, times);
    if (pickup.detour > chain.SlackBehind(node)) continue;
    if (!has_earlier || pickup.detour < earlier.detour) {
      earlier = pickup;
      has_earlier = true;
    }
  }
  return best;
}

std::vector<CarInsertion> FindInsertions(std::span<const RunningCar> cars,
                                         const InsertedRider& rider, std::size_t limit,
                                         TravelTimes& optimistic, TravelTimes& times) {
  struct Bound {
    Duration added;
    std::size_t car;
  };
  std::vector<Bound> bounds;
  for (std::size_t i = 0; i < cars.size(); ++i) {
    if (const auto hope = FindInsertion(cars[i], rider, optimistic)) {
      bounds.push_back({hope->added, i});
    }
  }
  std::sort(bounds.begin(), bounds.end(), [](const Bound& a, const Bound& b) {
    return std::tie(a.added, a.car) < std::tie(b.added, b.car);
  });

  const auto is_before = [](const CarInsertion& a, const CarInsertion& b) {
    return std::tie(a.insertion.added, a.car) < std::tie(b.insertion.added, b.car);
  };
  std::vector<CarInsertion> best;  // Ascending.
  for (const Bound& bound : bounds) {
    if (best.size() == limit && (limit == 0 || bound.added > best.back().insertion.added)) break;
    const auto insertion = FindInsertion(cars[bound.car], rider, times);
    if (!insertion) continue;
    CarInsertion found{bound.car, *insertion};
    best.insert(std::upper_bound(best.begin(), best.end(), found, is_before), found);
    if (best.size() > limit) best.pop_back();
  }
  return best;
}

Duration DelayOfOthers(const RunningCar& car, const InsertedRider& rider,
                       const Insertion& insertion, TravelTimes& times) {
  const Chain chain(car);
  Duration before_dropoff{};
  if (insertion.pickup_after < insertion.dropoff_after) {
    const Duration there = times.Between(chain.place(insertion.pickup_after), rider.pickup);
    before_dropoff =
        chain.Detour(insertion.pickup_after, there, rider.pickup, rider.pickup_dwell, times);
  }
  Duration sum{};
  for (std::size_t i = insertion.pickup_after; i < car.stops.size(); ++i) {
    const Duration delay = i < insertion.dropoff_after ? before_dropoff : insertion.added;
    sum += delay * std::abs(car.stops[i].riders);
  }
  return sum;
}

}  // namespace ridestream::dispatch
