// ./ride bench matching: dispatch's own domain over half an hour of requests, in virtual time:
// compares methods from the nearest driver to shared rides, for several fleets, and times rounds.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/roads/streets.h"
#include "loadtest/demand/demand.h"
#include "tests/bench/matching/comparison.h"
#include "tests/bench/matching/round_timing.h"

ABSL_FLAG(std::string, roads, "city:1",
          "Streets: city:SEED for the built-in city, or an OpenStreetMap file");
ABSL_FLAG(std::string, requests, "",
          "CSV file of requests, in the form of the load generator's --requests");
ABSL_FLAG(std::string, fleet, "", "CSV file of cars, in the form of the load generator's --fleet");
ABSL_FLAG(std::vector<std::string>, drivers,
          std::vector<std::string>({"300", "500", "700", "1000"}),
          "Fleet sizes to compare. Each size takes the first cars of the same list");
ABSL_FLAG(std::vector<std::string>, methods, {},
          "Compare only the methods with these keys. Empty: all");
ABSL_FLAG(std::uint64_t, seed, 1, "Seed of all random numbers");
ABSL_FLAG(double, requests_per_hour, 6'000,
          "Without --requests: requests per hour in the built-in city");
ABSL_FLAG(int, minutes, 30,
          "Minutes of requests to replay (1 to 1440). Later requests are left out");
ABSL_FLAG(double, shared_probability, 1, "Probability that a rider agrees to share (0 to 1)");
ABSL_FLAG(double, ageing, ridestream::dispatch::MatchingCosts().ageing,
          "Cost of leaving a trip waiting, in seconds per person and second that it has waited");
ABSL_FLAG(double, driving, ridestream::dispatch::MatchingCosts().driving,
          "Cost of a second of driving, relative to a second of waiting");
ABSL_FLAG(double, unmatched_s,
          std::chrono::duration<double>(ridestream::dispatch::MatchingCosts().unmatched).count(),
          "Cost of leaving a trip without a driver for a round, in seconds per person");
ABSL_FLAG(double, price_hold_s,
          std::chrono::duration<double>(ridestream::dispatch::MarketConfig().price_hold).count(),
          "Longest time for which the assignment keeps a trip waiting although a driver that no "
          "other trip needs is within the limits, in seconds");
ABSL_FLAG(bool, charge_thinking, false,
          "Run each method a second time with its computing time added to the city's time");
ABSL_FLAG(bool, comparison, true,
          "Compare the methods. --nocomparison only measures the time of rounds");
ABSL_FLAG(
    bool, timing, true,
    "Also measure single rounds of 140 x 2,000 and 1,000 x 5,000, and insertions over 1,000 cars");
ABSL_FLAG(std::string, json, "", "Write the figures to this file, as JSON");

namespace ridestream::bench {
namespace {

constexpr char kUsage[] =
    R"(Replays half an hour of requests against dispatch's domain in virtual time, without RPCs, once with
each matching method. Prints how many riders each method serves, how long they wait and how far cars
drive. The same seed prints the same table, except for the columns of computing time.)";

struct World {
  std::unique_ptr<roads::Streets> streets;
  std::vector<loadtest::Request> requests;
  std::vector<loadtest::FleetPlace> fleet;
  std::vector<std::size_t> sizes;
};

absl::StatusOr<std::vector<std::size_t>> SizesFromFlag() {
  std::vector<std::size_t> sizes;
  for (const std::string& text : absl::GetFlag(FLAGS_drivers)) {
    char* end = nullptr;
    const unsigned long size = std::strtoul(text.c_str(), &end, 10);
    if (*end != '\0' || size < 1 || size > 50'000) {
      return absl::InvalidArgumentError(
          fmt::format("--drivers: '{}' must be a number of 1 to 50000", text));
    }
    sizes.push_back(size);
  }
  if (sizes.empty()) return absl::InvalidArgumentError("--drivers: lists no fleet size");
  return sizes;
}

absl::StatusOr<World> LoadWorld() {
  const std::string roads = absl::GetFlag(FLAGS_roads);
  const std::string requests = absl::GetFlag(FLAGS_requests);
  const std::string fleet = absl::GetFlag(FLAGS_fleet);
  const int minutes = absl::GetFlag(FLAGS_minutes);
  if (minutes < 1 || minutes > 1'440) {
    return absl::InvalidArgumentError(fmt::format("--minutes={}: must be 1 to 1440", minutes));
  }
  World world;
  auto sizes = SizesFromFlag();
  if (!sizes.ok()) return sizes.status();
  world.sizes = *std::move(sizes);
  auto streets = roads::Streets::Load(roads);
  if (!streets.ok()) return streets.status();
  world.streets = *std::move(streets);
  const roads::RoadGraph& graph = world.streets->graph();
  const std::uint64_t seed = absl::GetFlag(FLAGS_seed);

  std::unique_ptr<loadtest::Demand> demand;
  if (requests.empty()) {
    demand = loadtest::GenerateDemand(graph, absl::GetFlag(FLAGS_requests_per_hour), seed);
  } else {
    auto replay = loadtest::ReplayDemand(requests);
    if (!replay.ok()) return replay.status();
    demand = *std::move(replay);
  }
  while (auto request = demand->Next()) {
    if (request->due >= std::chrono::minutes(minutes)) break;
    world.requests.push_back(*request);
  }
  const std::size_t largest = *std::max_element(world.sizes.begin(), world.sizes.end());
  if (fleet.empty()) {
    world.fleet = loadtest::GenerateFleet(graph, largest, ~seed);
  } else {
    auto cars = loadtest::ReadFleet(fleet, largest);
    if (!cars.ok()) return cars.status();
    world.fleet = *std::move(cars);
  }
  std::printf("%s; %zu requests\n", world.streets->description().c_str(), world.requests.size());
  return world;
}

nlohmann::ordered_json ToJson(const CityResult& result) {
  const auto asked = static_cast<double>(result.requests - result.refused);
  return {{"served", asked == 0 ? 0 : static_cast<double>(result.served) / asked},
          {"served_riders", result.served},
          {"requests", result.requests},
          {"refused", result.refused},
          {"wait_mean_s", result.wait_mean_s},
          {"wait_p95_s", result.wait_p95_s},
          {"detour", result.detour},
          {"km_per_rider", result.km_per_rider},
          {"empty_share", result.empty_share},
          {"riders_per_car", result.riders_per_car},
          {"broken_promises", result.broken_promises},
          {"promises_broken", result.promises_broken},
          {"rounds", result.rounds},
          {"rounds_out_of_time", result.rounds_out_of_time},
          {"violations", result.violations},
          {"fingerprint", fmt::format("{:016x}", result.fingerprint)},
          {"round_ms", {{"p50", result.round_ms_p50}, {"p99", result.round_ms_p99}}}};
}

bool IsWanted(const Method& method) {
  const auto wanted = absl::GetFlag(FLAGS_methods);
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), method.key) != wanted.end();
}

nlohmann::ordered_json RunComparison(const World& world, std::size_t size, bool charged) {
  nlohmann::ordered_json figures;
  std::fputs(ComparisonHead(size, charged).c_str(), stdout);
  std::fflush(stdout);
  for (const Method& method : ComparedMethods()) {
    if (!IsWanted(method)) continue;
    VirtualCityOptions options;
    options.market.market = MarketId("city");
    options.market.offer_id_prefix = "o-";
    options.market.matching_costs.ageing = absl::GetFlag(FLAGS_ageing);
    options.market.matching_costs.driving = absl::GetFlag(FLAGS_driving);
    options.market.matching_costs.unmatched = std::chrono::round<Duration>(
        std::chrono::duration<double>(absl::GetFlag(FLAGS_unmatched_s)));
    options.market.price_hold = std::chrono::round<Duration>(
        std::chrono::duration<double>(absl::GetFlag(FLAGS_price_hold_s)));
    options.requests = world.requests;
    options.fleet = {world.fleet.begin(), world.fleet.begin() + static_cast<std::ptrdiff_t>(size)};
    options.seed = absl::GetFlag(FLAGS_seed);
    options.shared_probability = absl::GetFlag(FLAGS_shared_probability);
    options.charge_thinking = charged;
    options.on_minutes = [&](std::chrono::minutes passed, std::size_t requested) {
      std::fprintf(stderr, "matching_bench: %zu drivers, %s: %d min, %zu of %zu requests\n", size,
                   std::string(method.key).c_str(), static_cast<int>(passed.count()), requested,
                   world.requests.size());
    };
    VirtualCity city(With(std::move(options), method), *world.streets);
    const CityResult result = city.Run();
    std::fputs(ComparisonLine(method, result).c_str(), stdout);
    std::fflush(stdout);
    figures[std::string(method.key)] = ToJson(result);
  }
  return figures;
}

nlohmann::ordered_json TimeAlone(const World& world) {
  const std::uint64_t seed = absl::GetFlag(FLAGS_seed);
  nlohmann::ordered_json figures;
  std::printf("\nsingle rounds, travel times included    p50 ms    p99 ms       aim\n");
  const auto print = [&](const char* key, const char* meaning, const char* aim,
                         const RoundTiming& timing) {
    std::printf("  %-36s%10.2f%10.2f%10s\n", meaning, timing.p50_ms, timing.p99_ms, aim);
    std::fflush(stdout);
    figures[key] = {{"p50", timing.p50_ms}, {"p99", timing.p99_ms}};
  };
  print("round_140x2000_ms", "140 riders, 2,000 drivers", "26",
        TimeRounds(*world.streets, 140, 2'000, 16, 500, seed));
  print("round_1000x5000_ms", "1,000 riders, 5,000 drivers", "100",
        TimeRounds(*world.streets, 1'000, 5'000, 16, 100, seed));
  print("insertion_1000_ms", "best insertion over 1,000 cars", "0.5 / 5",
        TimeInsertions(*world.streets, 1'000, 2'000, seed));
  return figures;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "matching_bench: %s\n", std::string(status.message()).c_str());
  return 2;
}

int Run() {
  if (absl::Status status = CheckMethodKeys(absl::GetFlag(FLAGS_methods)); !status.ok()) {
    return Fail(status);
  }
  // Opened first, so that a bad path fails before the half-hour run.
  std::ofstream json;
  if (const std::string file = absl::GetFlag(FLAGS_json); !file.empty()) {
    json.open(file);
    if (!json) {
      return Fail(absl::PermissionDeniedError(fmt::format("--json={}: can't be written", file)));
    }
  }
  const absl::StatusOr<World> world = LoadWorld();
  if (!world.ok()) return Fail(world.status());
  nlohmann::ordered_json figures, charged;
  for (const std::size_t size :
       absl::GetFlag(FLAGS_comparison) ? world->sizes : std::vector<std::size_t>()) {
    figures[std::to_string(size)] = RunComparison(*world, size, false);
    if (absl::GetFlag(FLAGS_charge_thinking)) {
      charged[std::to_string(size)] = RunComparison(*world, size, true);
    }
  }
  if (!charged.is_null()) figures["charged"] = std::move(charged);
  if (absl::GetFlag(FLAGS_timing)) figures["timing"] = TimeAlone(*world);
  if (json.is_open()) json << nlohmann::ordered_json{{"matching", figures}}.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace ridestream::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(ridestream::bench::kUsage);
  absl::ParseCommandLine(argc, argv);
  return ridestream::bench::Run();
}
