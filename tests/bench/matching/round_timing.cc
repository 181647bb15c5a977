#include "tests/bench/matching/round_timing.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "libs/roads/graph/road_graph.h"
#include "services/dispatch/candidates/round_search.h"
#include "services/dispatch/domain/search/waiting_trips.h"
#include "tests/bench/matching/thread_time.h"

namespace ridestream::bench {
namespace {

using dispatch::FindCandidates;
using dispatch::NearbyDriver;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kNow = ScaledClock::kAnchor;

RoundTiming Summarize(std::vector<double> ms) {
  if (ms.empty()) return {};
  std::sort(ms.begin(), ms.end());
  const auto at = [&](double quantile) {
    const auto rank = static_cast<std::size_t>(quantile * static_cast<double>(ms.size()));
    return ms[std::min(rank, ms.size() - 1)];
  };
  return {at(0.5), at(0.99)};
}

double ThreadMs() { return std::chrono::duration<double, std::milli>(ThreadTime()).count(); }

std::vector<NearbyDriver> Nearest(const std::vector<NearbyDriver>& drivers, LatLng place,
                                  std::size_t count) {
  std::vector<std::pair<double, std::size_t>> by_distance;
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    by_distance.emplace_back(FastDistanceM(drivers[i].position, place), i);
  }
  count = std::min(count, drivers.size());
  std::partial_sort(by_distance.begin(), by_distance.begin() + static_cast<std::ptrdiff_t>(count),
                    by_distance.end());
  std::vector<NearbyDriver> nearest;
  for (std::size_t i = 0; i < count; ++i) nearest.push_back(drivers[by_distance[i].second]);
  return nearest;
}

/// A car on its way with one to three riders, in the form of its plan.
dispatch::SharedCar MakeCar(const roads::Streets& streets, std::size_t index,
                            std::mt19937_64& random) {
  const roads::RoadGraph& graph = streets.graph();
  dispatch::SharedCar shared{DriverId(fmt::format("d-{:05}", index)),
                             1,
                             roads::RandomPointOnStreet(graph, random),
                             {},
                             {},
                             {}};
  shared.car.leaves = kNow;
  shared.car.seats = 4;
  const int riders = 1 + static_cast<int>(random() % 3);
  const int aboard = static_cast<int>(random() % static_cast<unsigned>(riders + 1));
  shared.car.aboard = static_cast<std::uint32_t>(aboard);
  LatLng from = shared.position;
  Time at = kNow;
  for (int stop = 0; stop < 2 * riders - aboard; ++stop) {
    // The pick-ups first.
    const bool in = stop < riders - aboard;
    const LatLng to = roads::RandomPointOnStreet(graph, random);
    const auto time = streets.router().TravelTime(from, to);
    if (!time.ok()) continue;
    at += *time;
    shared.car.stops.push_back({.riders = in ? 1 : -1,
                                .arrival = at,
                                .latest = at + seconds(random() % 420),
                                .dwell = seconds(in ? 30 : 10)});
    at += shared.car.stops.back().dwell;
    shared.places.push_back(to);
    shared.trips.emplace_back(fmt::format("t-{}", stop));
    from = to;
  }
  return shared;
}

}  // namespace

RoundTiming TimeRounds(const roads::Streets& streets, std::size_t riders, std::size_t drivers,
                       std::size_t candidates, std::size_t rounds, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> ms;
  dispatch::RoundSearch search(streets.router(), {});
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<NearbyDriver> fleet;
    for (std::size_t i = 0; i < drivers; ++i) {
      fleet.push_back({DriverId(fmt::format("d-{:05}", i)),
                       roads::RandomPointOnStreet(streets.graph(), random)});
    }
    dispatch::WaitingTrips waiting({seconds(1), 10'000});
    std::vector<std::vector<NearbyDriver>> nearby;
    for (std::size_t i = 0; i < riders; ++i) {
      const LatLng pickup = roads::RandomPointOnStreet(streets.graph(), random);
      nearby.push_back(Nearest(fleet, pickup, candidates));
      waiting.Add(
          {TripId(fmt::format("t-{:05}", i)), kNow + seconds(i % 60), pickup, 1, 2'000, kNow});
    }
    const double start = ThreadMs();
    auto question = waiting.StartRound(kNow + minutes(1));
    search.Begin(*std::move(question), std::move(nearby));
    while (search.Step()) {
    }
    const auto matches = waiting.FinishRound(
        search.Take(),
        [](const dispatch::WaitingTrip&, const DriverId&) {
          return dispatch::Suitability(dispatch::Eligibility::kYes, 0.85);
        },
        [](const TripId&, const dispatch::InsertionFound&) { return true; }, kNow + minutes(1));
    ms.push_back(ThreadMs() - start);
    if (matches.empty()) return {};  // Nothing was measured.
  }
  return Summarize(std::move(ms));
}

RoundTiming TimeInsertions(const roads::Streets& streets, std::size_t cars, std::size_t riders,
                           std::uint64_t seed) {
  std::mt19937_64 random(seed);
  dispatch::PlaceTable places(streets.router());
  std::vector<dispatch::RunningCar> running;
  for (std::size_t i = 0; i < cars; ++i) {
    const dispatch::SharedCar shared = MakeCar(streets, i, random);
    dispatch::RunningCar& car = running.emplace_back(shared.car);
    car.place = places.Add(shared.position, roads::StreetUse::kDrive);
    for (std::size_t stop = 0; stop < car.stops.size(); ++stop) {
      car.stops[stop].place = places.Add(shared.places[stop], roads::StreetUse::kStop);
    }
  }
  std::vector<double> ms;
  std::size_t found = 0;
  for (std::size_t i = 0; i < riders; ++i) {
    const LatLng pickup = roads::RandomPointOnStreet(streets.graph(), random);
    const LatLng dropoff = roads::RandomPointOnStreet(streets.graph(), random);
    const auto direct = streets.router().TravelTime(pickup, dropoff);
    if (!direct.ok()) continue;
    const double start = ThreadMs();
    const dispatch::InsertedRider rider{places.Add(pickup, roads::StreetUse::kStop),
                                        places.Add(dropoff, roads::StreetUse::kStop),
                                        1,
                                        kNow + minutes(8),
                                        kNow + minutes(8) + *direct * 3 / 2,
                                        seconds(30),
                                        seconds(10)};
    found +=
        dispatch::FindInsertions(running, rider, 1, places.optimistic(), places.exact()).size();
    ms.push_back(ThreadMs() - start);
  }
  if (found == 0) return {};
  return Summarize(std::move(ms));
}

}  // namespace ridestream::bench
