#include "services/dispatch/matching/insertion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

constexpr Time kNow = ScaledClock::kAnchor;

/// Places in a plane with one-way detours, so that there and back take different times.
class Plane final : public TravelTimes {
 public:
  struct Point {
    std::int64_t x, y;
  };
  PlaceIndex Add(std::int64_t x, std::int64_t y) {
    points_.push_back({x, y});
    return static_cast<PlaceIndex>(points_.size() - 1);
  }
  Duration Between(PlaceIndex from, PlaceIndex to) override {
    ++asked;
    const Point a = points_[from], b = points_[to];
    const std::int64_t uphill = std::max<std::int64_t>(0, b.y - a.y) / 2;
    return seconds(std::abs(a.x - b.x) + std::abs(a.y - b.y) + uphill);
  }
  const Point& point(PlaceIndex place) const { return points_[place]; }
  int asked = 0;

 private:
  std::vector<Point> points_;
};

/// Never longer than the plane's: without the hills.
class Flat final : public TravelTimes {
 public:
  explicit Flat(const Plane& plane) : plane_(plane) {}
  Duration Between(PlaceIndex from, PlaceIndex to) override {
    const auto a = plane_.point(from), b = plane_.point(to);
    return seconds(std::max(std::abs(a.x - b.x), std::abs(a.y - b.y)));
  }

 private:
  const Plane& plane_;
};

/// Drives a sequence of stops from the car. Nothing if a promise or the seats are broken.
std::optional<std::vector<Time>> Drive(const RunningCar& car, const std::vector<CarStop>& stops,
                                       TravelTimes& times) {
  std::vector<Time> arrivals;
  Time at = car.leaves;
  PlaceIndex place = car.place;
  std::int64_t aboard = car.aboard;
  for (const CarStop& stop : stops) {
    at += times.Between(place, stop.place);
    if (at > stop.latest) return std::nullopt;
    aboard += stop.riders;
    if (aboard > car.seats) return std::nullopt;
    arrivals.push_back(at);
    at += stop.dwell;
    place = stop.place;
  }
  return arrivals;
}

Duration LengthOf(const RunningCar& car, const std::vector<CarStop>& stops,
                  const std::vector<Time>& arrivals) {
  if (stops.empty()) return Duration{};
  return arrivals.back() + stops.back().dwell - car.leaves;
}

/// Lateness of everybody who gets out, summed.
Duration LatenessOf(const std::vector<CarStop>& stops, const std::vector<Time>& arrivals) {
  Duration sum{};
  for (std::size_t i = 0; i < stops.size(); ++i) {
    sum += (arrivals[i] - kNow) * std::max(0, -stops[i].riders);
  }
  return sum;
}

/// All pairs of places, each driven through. A second of driving costs as much as two of a rider.
std::optional<Insertion> ByBruteForce(const RunningCar& car, const InsertedRider& rider,
                                      TravelTimes& times) {
  const auto before = Drive(car, car.stops, times);
  const Duration length_before = LengthOf(car, car.stops, before.value());
  std::optional<Insertion> best;
  for (std::size_t dropoff = car.fixed_stops; dropoff <= car.stops.size(); ++dropoff) {
    for (std::size_t pickup = car.fixed_stops; pickup <= dropoff; ++pickup) {
      std::vector<CarStop> stops = car.stops;
      const auto party = static_cast<std::int32_t>(rider.party_size);
      stops.insert(stops.begin() + static_cast<std::ptrdiff_t>(dropoff),
                   {rider.dropoff, -party, {}, rider.latest_dropoff, rider.dropoff_dwell});
      stops.insert(stops.begin() + static_cast<std::ptrdiff_t>(pickup),
                   {rider.pickup, party, {}, rider.latest_pickup, rider.pickup_dwell});
      const auto arrivals = Drive(car, stops, times);
      if (!arrivals) continue;
      const Duration added = LengthOf(car, stops, *arrivals) - length_before;
      const Duration cost =
          added * 2 + LatenessOf(stops, *arrivals) - LatenessOf(car.stops, *before);
      const Insertion found{pickup, dropoff, added, (*arrivals)[pickup], (*arrivals)[dropoff + 1],
                            cost};
      if (!best || found.cost < best->cost) best = found;
    }
  }
  return best;
}

class RandomWorld {
 public:
  explicit RandomWorld(std::uint64_t seed) : random_(seed) {}

  /// A car that keeps its promises, with up to five trips, some aboard already.
  RunningCar MakeCar() {
    while (true) {
      RunningCar car{Somewhere(),
                     kNow + seconds(Below(20)),
                     static_cast<std::uint32_t>(2 + Below(4)),
                     0,
                     {},
                     0};
      const int trips = Below(6);
      std::vector<CarStop> stops;
      for (int trip = 0; trip < trips; ++trip) {
        const int party = 1 + Below(2);
        const Time latest_pickup = kNow + seconds(Below(1'500));
        const CarStop in{Somewhere(), party, {}, latest_pickup, seconds(20)};
        const CarStop out{Somewhere(),
                          -party,
                          {},
                          Below(10) == 0 ? Time::max() : latest_pickup + seconds(Below(2'500)),
                          seconds(7)};
        auto at = stops.begin() + Below(static_cast<int>(stops.size()) + 1);
        if (Below(3) == 0) {
          car.aboard += static_cast<std::uint32_t>(party);
          stops.insert(at, out);
        } else {
          at = stops.insert(at, in) + 1;
          at += Below(static_cast<int>(stops.end() - at) + 1);
          stops.insert(at, out);
        }
      }
      if (car.aboard > car.seats) continue;
      const auto arrivals = Drive(car, stops, plane);
      if (!arrivals) continue;
      for (std::size_t i = 0; i < stops.size(); ++i) stops[i].arrival = (*arrivals)[i];
      car.stops = std::move(stops);
      if (!car.stops.empty() && Below(4) == 0) car.fixed_stops = 1;
      return car;
    }
  }
  InsertedRider MakeRider() {
    const Time latest_pickup = kNow + seconds(Below(900));
    return {Somewhere(),
            Somewhere(),
            static_cast<std::uint32_t>(1 + Below(3)),
            latest_pickup,
            latest_pickup + seconds(100 + Below(1'500)),
            seconds(20),
            seconds(7),
            kNow,
            2};
  }

  Plane plane;

 private:
  int Below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }
  PlaceIndex Somewhere() { return plane.Add(Below(300), Below(300)); }

  std::mt19937_64 random_;
};

TEST(InsertionTest, EqualsTheBestOfBruteForce) {
  int possible = 0, impossible = 0, parted = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorld world(seed);
    const RunningCar car = world.MakeCar();
    const InsertedRider rider = world.MakeRider();
    const auto expected = ByBruteForce(car, rider, world.plane);
    const auto found = FindInsertion(car, rider, world.plane);
    ASSERT_EQ(found.has_value(), expected.has_value());
    ++(found ? possible : impossible);
    if (!found) continue;
    ASSERT_EQ(found->cost, expected->cost);
    parted += found->pickup_after < found->dropoff_after ? 1 : 0;
    // And it is what driving it would give.
    std::vector<CarStop> stops = car.stops;
    const auto party = static_cast<std::int32_t>(rider.party_size);
    stops.insert(stops.begin() + static_cast<std::ptrdiff_t>(found->dropoff_after),
                 {rider.dropoff, -party, {}, rider.latest_dropoff, rider.dropoff_dwell});
    stops.insert(stops.begin() + static_cast<std::ptrdiff_t>(found->pickup_after),
                 {rider.pickup, party, {}, rider.latest_pickup, rider.pickup_dwell});
    const auto arrivals = Drive(car, stops, world.plane);
    ASSERT_TRUE(arrivals);
    EXPECT_EQ(found->pickup_at, (*arrivals)[found->pickup_after]);
    EXPECT_EQ(found->dropoff_at, (*arrivals)[found->dropoff_after + 1]);
    EXPECT_EQ(found->added, LengthOf(car, stops, *arrivals) -
                                (car.stops.empty() ? Duration{}
                                                   : car.stops.back().arrival +
                                                         car.stops.back().dwell - car.leaves));
    // Taken out again, it spares what it cost.
    RunningCar fuller = car;
    fuller.stops = stops;
    for (std::size_t i = 0; i < stops.size(); ++i) fuller.stops[i].arrival = (*arrivals)[i];
    const std::size_t inserted[] = {found->pickup_after, found->dropoff_after + 1};
    EXPECT_EQ(WorthOfRemoving(fuller, inserted, kNow, 2, world.plane), found->cost);
  }
  EXPECT_GT(possible, 2'000);
  EXPECT_GT(impossible, 2'000);
  EXPECT_GT(parted, 500);
}

TEST(InsertionTest, AsksForTravelTimesInProportionToTheStops) {
  for (const std::size_t length : {10, 100, 1'000}) {
    Plane plane;
    RunningCar car{plane.Add(0, 0), kNow, 4, 0, {}, 0};
    Time at = kNow;
    for (std::size_t i = 0; i < length; ++i) {
      at += seconds(10);
      car.stops.push_back({plane.Add(10 * static_cast<std::int64_t>(i + 1), 0), 0, at});
    }
    const InsertedRider rider{plane.Add(3, 40), plane.Add(200, 90), 1, Time::max(), Time::max()};
    plane.asked = 0;
    ASSERT_TRUE(FindInsertion(car, rider, plane));
    EXPECT_LE(plane.asked, static_cast<int>(6 * (length + 1)));
  }
}

TEST(InsertionTest, FindsTheSameCarsAsASearchOfAllCars) {
  int exact_times_spared = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorld world(seed);
    std::vector<RunningCar> cars;
    for (int i = 0; i < 40; ++i) cars.push_back(world.MakeCar());
    const InsertedRider rider = world.MakeRider();
    std::vector<Duration> all;
    world.plane.asked = 0;
    for (const RunningCar& car : cars) {
      if (const auto found = FindInsertion(car, rider, world.plane)) all.push_back(found->cost);
    }
    const int asked_for_all = world.plane.asked;
    std::sort(all.begin(), all.end());
    all.resize(std::min<std::size_t>(all.size(), 3));
    Flat flat(world.plane);
    world.plane.asked = 0;
    std::vector<Duration> best;
    for (const CarInsertion& found : FindInsertions(cars, rider, 3, flat, world.plane)) {
      best.push_back(found.insertion.cost);
    }
    EXPECT_EQ(best, all);
    exact_times_spared += asked_for_all - world.plane.asked;
  }
  EXPECT_GT(exact_times_spared, 0);
}

TEST(InsertionTest, FullCarTakesARiderOnlyAfterADropOff) {
  Plane plane;
  RunningCar car{plane.Add(0, 0), kNow, 2, 2, {}, 0};
  car.stops.push_back({plane.Add(100, 0), -2, kNow + seconds(100)});
  const InsertedRider rider{plane.Add(50, 0), plane.Add(200, 0), 1, kNow + seconds(1'000),
                            kNow + seconds(2'000)};
  const auto found = FindInsertion(car, rider, plane);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->pickup_after, 1u);
  EXPECT_EQ(found->pickup_at, kNow + seconds(150));
}

TEST(InsertionTest, MoreRidersThanSeatsFitNowhere) {
  Plane plane;
  const RunningCar car{plane.Add(0, 0), kNow, 4, 0, {}, 0};
  const InsertedRider rider{plane.Add(1, 0), plane.Add(2, 0), 5, Time::max(), Time::max()};
  EXPECT_FALSE(FindInsertion(car, rider, plane));
}

TEST(InsertionTest, UnreachablePickUpHasNoInsertion) {
  class Nowhere final : public TravelTimes {
    Duration Between(PlaceIndex, PlaceIndex) override { return kNoWay; }
  } nowhere;
  const RunningCar car{0, kNow, 4, 0, {}, 0};
  EXPECT_FALSE(FindInsertion(
      car, {1, 2, 1, kNow + std::chrono::hours(1), kNow + std::chrono::hours(2)}, nowhere));
}

}  // namespace
}  // namespace ridestream::dispatch
