// Speed of the index on one thread, with a fleet in an area of Manhattan's size, 60 square
// kilometres. Arguments: number of drivers, S2 level of the cells.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>

#include "services/location/domain/location_index.h"

namespace ridestream::location {
namespace {

constexpr Time kNow = ScaledClock::kAnchor;
constexpr char kMarket[] = "manhattan";

class Fleet {
 public:
  explicit Fleet(std::int64_t drivers) {
    for (std::int64_t i = 0; i < drivers; ++i) ids_.push_back(fmt::format("driver-{:06}", i));
    for (const std::string& id : ids_) {
      reports_.push_back({.driver_id = id,
                          .session_epoch = 1,
                          .place = RandomPlace(),
                          .state = DriverState::kIdle,
                          .free_seats = 4});
    }
  }

  LatLng RandomPlace() {
    std::uniform_real_distribution<double> north(-10'000, 10'000);
    std::uniform_real_distribution<double> east(-1'500, 1'500);
    return OffsetBy(LatLng::FromDegrees(40.77, -73.97), north(random_), east(random_));
  }

  /// Each driver moves as far as a car does in 4 s.
  const std::vector<PositionReport>& Move() {
    std::uniform_real_distribution<double> step(-40, 40);
    for (PositionReport& report : reports_) {
      report.place = OffsetBy(report.place, step(random_), step(random_));
      ++report.sequence;
    }
    return reports_;
  }

 private:
  std::mt19937_64 random_{1};
  std::vector<std::string> ids_;
  std::vector<PositionReport> reports_;
};

LocationIndex MakeIndex(const benchmark::State& state) {
  return LocationIndex({.cell_level = static_cast<int>(state.range(1))});
}

void BM_Update(benchmark::State& state) {
  Fleet fleet(state.range(0));
  LocationIndex index = MakeIndex(state);
  index.Apply(kMarket, fleet.Move(), kNow);
  size_t at = 0;
  std::vector<PositionReport> reports = fleet.Move();
  for (auto _ : state) {
    constexpr size_t kBatch = 500;
    benchmark::DoNotOptimize(index.Apply(kMarket, std::span(reports).subspan(at, kBatch), kNow));
    at += kBatch;
    if (at + kBatch > reports.size()) {
      state.PauseTiming();
      reports = fleet.Move();
      at = 0;
      state.ResumeTiming();
    }
    state.SetItemsProcessed(state.items_processed() + static_cast<std::int64_t>(kBatch));
  }
}

// The queries of one call, in portions of LocationIndex::kQueriesPerLock.
void Nearest(benchmark::State& state, double radius_m, std::uint32_t limit, bool occupied_only) {
  Fleet fleet(state.range(0));
  LocationIndex index = MakeIndex(state);
  index.Apply(kMarket, fleet.Move(), kNow);
  std::vector<NearestQuery> queries;
  for (size_t i = 0; i < LocationIndex::kQueriesPerLock * 64; ++i) {
    queries.push_back({fleet.RandomPlace(), radius_m, limit});
    if (!occupied_only) continue;
    queries.back().states = StateSet();
    queries.back().states.Add(DriverState::kOccupied);
  }
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(index.FindNearest(
        kMarket, std::span(queries).subspan(at, LocationIndex::kQueriesPerLock), kNow));
    at = (at + LocationIndex::kQueriesPerLock) % queries.size();
    state.SetItemsProcessed(state.items_processed() +
                            static_cast<std::int64_t>(LocationIndex::kQueriesPerLock));
  }
}

void BM_Nearest10Within2Km(benchmark::State& state) { Nearest(state, 2'000, 10, false); }
void BM_Nearest100Within5Km(benchmark::State& state) { Nearest(state, 5'000, 100, false); }
// No driver matches, so the walk covers the whole circle.
void BM_NoneWithin2Km(benchmark::State& state) { Nearest(state, 2'000, 10, true); }
void BM_NoneWithin50Km(benchmark::State& state) { Nearest(state, 50'000, 10, true); }

// A frame for a viewer of the whole market, after all drivers have moved.
void BM_FrameOfTheMarket(benchmark::State& state) {
  Fleet fleet(state.range(0));
  LocationIndex index = MakeIndex(state);
  AreaView view({LatLng::FromDegrees(40, -75), LatLng::FromDegrees(42, -73)});
  for (auto _ : state) {
    state.PauseTiming();
    index.Apply(kMarket, fleet.Move(), kNow);
    state.ResumeTiming();
    benchmark::DoNotOptimize(index.NextFrame(kMarket, view, kNow));
  }
}

BENCHMARK(BM_Update)->ArgsProduct({{10'000, 100'000}, {14, 15, 16}});
BENCHMARK(BM_Nearest10Within2Km)->ArgsProduct({{1'000, 10'000, 100'000}, {13, 14, 15, 16}});
BENCHMARK(BM_Nearest100Within5Km)->ArgsProduct({{10'000}, {14, 15, 16}});
BENCHMARK(BM_NoneWithin2Km)->ArgsProduct({{10'000}, {14, 15, 16}});
BENCHMARK(BM_NoneWithin50Km)->ArgsProduct({{10'000}, {14, 15, 16}});
BENCHMARK(BM_FrameOfTheMarket)->ArgsProduct({{10'000}, {14}});

}  // namespace
}  // namespace ridestream::location

BENCHMARK_MAIN();
