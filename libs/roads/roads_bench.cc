// ./ride bench roads: the routing engine on a real map: whether it finds what Dijkstra finds, and
// how long everything takes, on one thread.

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "libs/roads/contraction_order.h"
#include "libs/roads/dijkstra_router.h"
#include "libs/roads/streets.h"
#include "libs/roads/text.h"
#include "libs/testing/figures.h"

ABSL_FLAG(std::string, roads, "../shared/data/osm/porto.osm.pbf",
          "The streets: an OpenStreetMap extract, or city:SEED");
ABSL_FLAG(std::uint32_t, pairs, 100'000, "Random pairs of places to compare with Dijkstra");
ABSL_FLAG(std::uint64_t, seed, 1, "Of the random places");
ABSL_FLAG(std::string, json, "", "File to write the figures to");

namespace ridestream::roads {
namespace {

constexpr std::size_t kRow = 1'000;          // drivers of a row
constexpr std::size_t kGoalsPerStart = 100;  // Dijkstra finds these in one search

class Places {
 public:
  Places(const Streets& streets, std::uint64_t seed) : streets_(streets), random_(seed) {}

  /// Some metres beside a street, as a GPS says.
  std::vector<LatLng> Draw(std::size_t count) {
    std::vector<LatLng> places;
    places.reserve(count);
    std::uniform_real_distribution<double> off_m(-15, 15);
    while (places.size() < count) {
      const LatLng on_street = RandomPointOnStreet(streets_.graph(), random_);
      places.push_back(OffsetBy(on_street, off_m(random_), off_m(random_)));
    }
    return places;
  }
  std::vector<SnappedPoint> Snap(const std::vector<LatLng>& places) const {
    std::vector<SnappedPoint> points;
    points.reserve(places.size());
    for (const LatLng place : places) points.push_back(*streets_.snapper().Nearest(place));
    return points;
  }

 private:
  const Streets& streets_;
  std::mt19937_64 random_;
};

/// What this thread has computed, in microseconds: what other processes take from it doesn't count.
double ThreadMicros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Times of single actions, in microseconds of this thread.
class Timings {
 public:
  template <class Action>
  void Measure(Action action) {
    const double start = ThreadMicros();
    action();
    us_.push_back(ThreadMicros() - start);
  }
  double Quantile(double q) const {
    std::vector<double> sorted = us_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
  }

 private:
  std::vector<double> us_;
};

struct Bench {
  const Streets& streets;
  const DijkstraRouter dijkstra;
  Places places;
  nlohmann::json figures;
  std::uint64_t checksum = 0;  // so that nothing is optimised away

  void Say(const std::string& name, double value, const char* unit, const char* meaning) {
    figures["roads." + name] = value;
    std::cout << fmt::format("{:<22}{:>12.3f} {:<3} {}", name, value, unit, meaning) << std::endl;
  }
  void SayQuantiles(const std::string& name, const Timings& timings, const char* meaning) {
    Say(name + ".p50", timings.Quantile(0.5), "us", meaning);
    Say(name + ".p99", timings.Quantile(0.99), "us", "");
  }

  void MeasurePreparing() {
    const double start = ThreadMicros();
    const std::vector<NodeIndex> order = FindContractionOrder(streets.graph());
    const Hierarchy hierarchy(streets.turns(), order);
    Say("prepare_s", (ThreadMicros() - start) / 1e6, "s",
        "order by nested dissection, contraction");
    Timings contraction;
    contraction.Measure([&] { checksum += Hierarchy(streets.turns(), order).arc_count(); });
    Say("contract_ms", contraction.Quantile(0.5) / 1'000, "ms", "of that, contraction alone");
    Timings customization;
    for (int i = 0; i < 11; ++i) {
      std::vector<std::uint32_t> edge_ms = GraphDurations(streets.graph());
      customization.Measure([&] {
        const Metric metric(hierarchy, std::move(edge_ms));
        checksum += metric.up().arcs.size();
      });
    }
    Say("customize_ms", customization.Quantile(0.5) / 1'000, "ms", "new speeds for all streets");
    Say("arcs", static_cast<double>(hierarchy.arc_count()), "", "of the hierarchy");
    Say("height", static_cast<double>(hierarchy.height()), "", "of its elimination tree");
  }

  /// Pairs of which the engines disagree about the time.
  void CountMismatches(std::size_t pairs) {
    const std::size_t starts = std::max<std::size_t>(1, pairs / kGoalsPerStart);
    std::uint64_t mismatches = 0;
    std::uint64_t unreachable = 0;
    for (const SnappedPoint& from : places.Snap(places.Draw(starts))) {
      const std::vector<SnappedPoint> goals = places.Snap(places.Draw(kGoalsPerStart));
      const std::vector<std::uint32_t> expected = dijkstra.MsFrom(from, goals);
      const std::vector<std::uint32_t> row = streets.router().MsFrom(from, goals);
      for (std::size_t i = 0; i < goals.size(); ++i) {
        const std::uint32_t ms = streets.router().MsBetween(from, goals[i]);
        if (ms != expected[i] || row[i] != expected[i]) ++mismatches;
        if (expected[i] == kUnreachableMs) ++unreachable;
      }
    }
    figures["roads.pairs"] = starts * kGoalsPerStart;
    Say("mismatches", static_cast<double>(mismatches), "",
        "pairs (each alone and in a row) whose time isn't Dijkstra's");
    Say("unreachable", static_cast<double>(unreachable), "", "pairs, by both");
  }

  void MeasurePairs() {
    const std::vector<LatLng> from = places.Draw(50'000);
    const std::vector<LatLng> to = places.Draw(from.size());
    const std::vector<SnappedPoint> starts = places.Snap(from);
    const std::vector<SnappedPoint> goals = places.Snap(to);
    const Router& router = streets.router();
    Timings by_coordinates, snapped, route, prepared, dijkstra_us;
    for (std::size_t i = 0; i < from.size(); ++i) {
      by_coordinates.Measure([&] { checksum += router.TravelTime(from[i], to[i]).ok(); });
    }
    for (std::size_t i = 0; i < from.size(); ++i) {
      snapped.Measure([&] { checksum += router.MsBetween(starts[i], goals[i]); });
    }
    for (std::size_t i = 0; i < from.size(); i += 10) {
      route.Measure([&] { checksum += router.RouteBetween(starts[i], goals[i]).has_value(); });
    }
    for (std::size_t i = 0; i < 500; ++i) {
      dijkstra_us.Measure([&] { checksum += dijkstra.MsBetween(starts[i], goals[i]); });
    }
    SayQuantiles("p2p_us", by_coordinates, "time between coordinates, snapping included");
    SayQuantiles("p2p_snapped_us", snapped, "time between snapped places");
    SayQuantiles("route_us", route, "route between snapped places");
    SayQuantiles("dijkstra_us", dijkstra_us, "Dijkstra, between snapped places");
  }

  /// A car that left its route: matched to a street by its last positions, and sent on from there.
  void MeasureReroutes() {
    const Router& router = streets.router();
    const std::vector<SnappedPoint> starts = places.Snap(places.Draw(2'000));
    const std::vector<SnappedPoint> goals = places.Snap(places.Draw(starts.size()));
    std::mt19937_64 random(7);
    std::normal_distribution<double> noise_m(0, 10);
    Timings reroute;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const auto driven = router.RouteBetween(starts[i], goals[i]);
      if (!driven) continue;
      std::vector<LatLng> track;
      for (std::size_t k = 0; k < driven->points.size() && track.size() < 8; k += 2) {
        track.push_back(OffsetBy(driven->points[k], noise_m(random), noise_m(random)));
      }
      const SnappedPoint& goal = goals[(i + 1) % goals.size()];
      reroute.Measure([&] {
        const auto start = streets.map_matcher().Match(track);
        if (start) checksum += router.RouteBetween(*start, goal).has_value();
      });
    }
    SayQuantiles("reroute_us", reroute, "map-matching of 8 positions, and a route from there");
  }

  void MeasureRows() {
    const Router& router = streets.router();
    Timings by_coordinates, snapped, prepare, table, prepared;
    for (int i = 0; i < 200; ++i) {
      const std::vector<LatLng> drivers = places.Draw(kRow);
      const std::vector<SnappedPoint> starts = places.Snap(drivers);
      const LatLng pickup = places.Draw(1).front();
      const SnappedPoint goal = *streets.snapper().Nearest(pickup);
      by_coordinates.Measure([&] {
        checksum += router.TravelTimesTo(pickup, drivers, std::chrono::hours(24))->size();
      });
      snapped.Measure([&] { checksum += router.MsTo(goal, starts).back(); });
      if (i % 20 != 0) continue;
      const std::span<const SnappedPoint> some(starts.data(), 100);
      table.Measure([&] { checksum += router.MsTable(starts, some).back(); });
      std::vector<PreparedPlace> ready;
      prepare.Measure([&] {
        for (const SnappedPoint& start : starts) ready.push_back(router.Prepare(start));
      });
      prepared.Measure([&] {
        for (const PreparedPlace& one : ready) {
          for (std::size_t k = 0; k < 100; ++k) checksum += router.MsBetween(one, ready[k]);
        }
      });
    }
    SayQuantiles("row1000_us", by_coordinates, "1,000 drivers to a pick-up, snapping included");
    SayQuantiles("row1000_snapped_us", snapped, "the same, snapped before");
    Say("table_ns", table.Quantile(0.5) / 100, "ns", "a cell of a table of 1,000 x 100");
    Say("prepare_us", prepare.Quantile(0.5) / 1'000, "us", "preparing a place");
    Say("prepared_ns", prepared.Quantile(0.5) / 100, "ns", "time between prepared places");
  }
};

absl::Status Run() {
  const double start = ThreadMicros();
  auto streets = Streets::Load(absl::GetFlag(FLAGS_roads));
  if (!streets.ok()) return streets.status();
  std::cout << (*streets)->description() << "\n" << std::endl;
  Bench bench{**streets,
              DijkstraRouter((*streets)->turns(), (*streets)->snapper()),
              Places(**streets, absl::GetFlag(FLAGS_seed)),
              {}};
  bench.Say("load_s", (ThreadMicros() - start) / 1e6, "s",
            "all of a service's start: build the graph, prepare, customize");
  bench.MeasurePreparing();
  bench.MeasurePairs();
  bench.MeasureRows();
  bench.MeasureReroutes();
  bench.CountMismatches(absl::GetFlag(FLAGS_pairs));
  absl::Status written = testing::WriteFigures(bench.figures, absl::GetFlag(FLAGS_json));
  if (!written.ok()) return written;
  if (bench.figures["roads.mismatches"] != 0) {
    return absl::InternalError("the engine doesn't find what Dijkstra finds");
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::roads

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Compares the routing engine with Dijkstra, and measures both on one thread.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = ridestream::roads::Run();
  if (status.ok()) return 0;
  std::cerr << "roads_bench: " << status << "\n";
  return 1;
}
