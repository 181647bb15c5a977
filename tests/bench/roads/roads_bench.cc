// ./ride bench roads: the routing engine on a real map: whether it finds what Dijkstra finds, and
// how long everything takes, on one thread.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "libs/base/text.h"
#include "libs/roads/engine/contraction_order.h"
#include "libs/roads/engine/dijkstra_router.h"
#include "libs/roads/streets.h"
#include "libs/testing/figures.h"
#include "tests/bench/roads/bench_tools.h"
#include "tests/bench/roads/comparison.h"

ABSL_FLAG(std::string, roads, "city:1",
          "Streets: city:SEED for the built-in city, or an OpenStreetMap file");
ABSL_FLAG(std::uint32_t, pairs, 100'000,
          "Number of random pairs of places to compare with Dijkstra");
ABSL_FLAG(std::uint64_t, seed, 1, "Seed of the random places");
ABSL_FLAG(std::string, json, "", "Write the figures to this file, as JSON");
ABSL_FLAG(std::string, comparison, "",
          "Only find routes and tables between random places, and write places, results and CPU "
          "times to this file, as JSON: the input of tests/bench/valhalla/compare.py");

namespace ridestream::roads {
namespace {

constexpr std::size_t kRow = 1'000;   // drivers of a row
constexpr std::size_t kAround = 100;  // Places whose times Dijkstra finds in one search.

struct Bench {
  const Streets& streets;
  const DijkstraRouter dijkstra;
  Places places;
  nlohmann::json figures;
  std::uint64_t checksum = 0;  // Keeps the compiler from optimising the work away.

  void Report(const std::string& name, double value, const char* unit, const char* meaning) {
    figures["roads." + name] = value;
    std::cout << fmt::format("{:<22}{:>12.3f} {:<3} {}", name, value, unit, meaning) << std::endl;
  }
  void ReportQuantiles(const std::string& name, const Timings& timings, const char* meaning) {
    Report(name + ".p50", timings.Quantile(0.5), "us", meaning);
    Report(name + ".p99", timings.Quantile(0.99), "us", "");
  }

  void MeasurePreparing() {
    const double start = ThreadMicros();
    const std::vector<NodeIndex> order = FindContractionOrder(streets.graph());
    const Hierarchy hierarchy(streets.turns(), order);
    Report("prepare_s", (ThreadMicros() - start) / 1e6, "s",
           "order by nested dissection, contraction");
    Timings contraction;
    contraction.Measure([&] { checksum += Hierarchy(streets.turns(), order).arc_count(); });
    Report("contract_ms", contraction.Quantile(0.5) / 1'000, "ms", "of that, contraction alone");
    Timings customization;
    for (int i = 0; i < 11; ++i) {
      std::vector<std::uint32_t> edge_ms = GraphDurations(streets.graph());
      customization.Measure([&] {
        const Metric metric(hierarchy, std::move(edge_ms));
        checksum += metric.up().arcs.size();
      });
    }
    Report("customize_ms", customization.Quantile(0.5) / 1'000, "ms", "new speeds for all streets");
    Report("arcs", static_cast<double>(hierarchy.arc_count()), "", "of the hierarchy");
    Report("height", static_cast<double>(hierarchy.height()), "", "of its elimination tree");
  }

  /// Counts pairs whose times differ between the engines. Dijkstra searches once from each of some
  /// hundred places to many others, and once back from as many.
  void CountMismatches(std::size_t pairs) {
    const std::size_t centers = std::max<std::size_t>(1, pairs / (2 * kAround));
    std::uint64_t mismatches = 0;
    std::uint64_t unreachable = 0;
    const auto compare = [&](std::uint32_t expected, std::uint32_t alone, std::uint32_t in_row) {
      if (alone != expected || in_row != expected) ++mismatches;
      if (expected == kUnreachableMs) ++unreachable;
    };
    const Router& router = streets.router();
    for (const SnappedPoint& center : places.Snap(places.Draw(centers))) {
      const std::vector<SnappedPoint> goals = places.Snap(places.Draw(kAround));
      const std::vector<std::uint32_t> expected = dijkstra.MsFrom(center, goals);
      const std::vector<std::uint32_t> row = router.MsFrom(center, goals);
      for (std::size_t i = 0; i < kAround; ++i) {
        compare(expected[i], router.MsBetween(center, goals[i]), row[i]);
      }
      const std::vector<SnappedPoint> starts = places.Snap(places.Draw(kAround));
      const std::vector<std::uint32_t> expected_back = dijkstra.MsTo(center, starts);
      const std::vector<std::uint32_t> row_back = router.MsTo(center, starts);
      for (std::size_t i = 0; i < kAround; ++i) {
        compare(expected_back[i], router.MsBetween(starts[i], center), row_back[i]);
      }
    }
    Report("pairs", static_cast<double>(centers * 2 * kAround), "",
           "compared: to 100 and from 100 others of each place, by one Dijkstra each");
    Report("mismatches", static_cast<double>(mismatches), "",
           "pairs (each alone and in a row) whose time isn't Dijkstra's");
    Report("unreachable", static_cast<double>(unreachable), "", "pairs, by both");
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
    ReportQuantiles("p2p_us", by_coordinates, "time between coordinates, snapping included");
    ReportQuantiles("p2p_snapped_us", snapped, "time between snapped places");
    ReportQuantiles("route_us", route, "route between snapped places");
    ReportQuantiles("dijkstra_us", dijkstra_us, "Dijkstra, between snapped places");
  }

  /// A car that left its route: it is matched to a street by its last positions and gets a new
  /// route from there.
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
    ReportQuantiles("reroute_us", reroute, "map-matching of 8 positions, and a route from there");
  }

  void MeasureRows() {
    std::vector<Row> rows;
    Timings snapping;
    for (int i = 0; i < 200; ++i) {
      rows.push_back({places.Draw(1).front(), places.Draw(kRow), {}});
      snapping.Measure([&] { rows.back().starts = places.Snap(rows.back().drivers); });
    }
    const Router& router = streets.router();
    Timings by_coordinates, snapped;
    for (const Row& row : rows) {
      by_coordinates.Measure([&] {
        checksum += router.TravelTimesTo(row.pickup, row.drivers, std::chrono::hours(24))->size();
      });
    }
    for (const Row& row : rows) {
      const SnappedPoint goal = *streets.snapper().Nearest(row.pickup);
      snapped.Measure([&] { checksum += router.MsTo(goal, row.starts).back(); });
    }
    ReportQuantiles("row1000_us", by_coordinates, "1,000 drivers to a pick-up, snapping included");
    ReportQuantiles("row1000_snapped_us", snapped,
                    "the same, snapped before: a round's next pick-up");
    Report("snap_us", snapping.Quantile(0.5) / kRow, "us", "finding a place's street");
    MeasureTables(std::span(rows).first(10));
  }

  struct Row {
    LatLng pickup;
    std::vector<LatLng> drivers;
    std::vector<SnappedPoint> starts;
  };

  void MeasureTables(std::span<const Row> rows) {
    constexpr std::size_t kColumns = 100;
    const Router& router = streets.router();
    Timings prepare, table, prepared;
    for (const Row& row : rows) {
      const std::span<const SnappedPoint> some(row.starts.data(), kColumns);
      table.Measure([&] { checksum += router.MsTable(row.starts, some).back(); });
      std::vector<PreparedPlace> ready;
      prepare.Measure([&] {
        for (const SnappedPoint& start : row.starts) ready.push_back(router.Prepare(start));
      });
      prepared.Measure([&] {
        for (const PreparedPlace& one : ready) {
          for (std::size_t k = 0; k < kColumns; ++k) checksum += router.MsBetween(one, ready[k]);
        }
      });
    }
    Report("table_ns", table.Quantile(0.5) / kColumns, "ns", "a cell of a table of 1,000 x 100");
    Report("prepare_us", prepare.Quantile(0.5) / kRow, "us", "preparing a place");
    Report("prepared_ns", prepared.Quantile(0.5) / kColumns, "ns", "time between prepared places");
  }
};

absl::Status Run() {
  const double start = ThreadMicros();
  auto streets = Streets::Load(absl::GetFlag(FLAGS_roads));
  if (!streets.ok()) return streets.status();
  std::cout << (*streets)->description() << "\n" << std::endl;
  if (const std::string file = absl::GetFlag(FLAGS_comparison); !file.empty()) {
    const nlohmann::json results = RunForComparison(**streets, absl::GetFlag(FLAGS_seed));
    return testing::WriteFigures(results, file);
  }
  Bench bench{**streets,
              DijkstraRouter((*streets)->turns(), (*streets)->snapper()),
              Places(**streets, absl::GetFlag(FLAGS_seed)),
              {}};
  bench.Report("load_s", (ThreadMicros() - start) / 1e6, "s",
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
