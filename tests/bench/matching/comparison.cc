#include "tests/bench/matching/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace ridestream::bench {

const std::vector<Method>& ComparedMethods() {
  using dispatch::MatchingMethod;
  using dispatch::SharingMode;
  static const std::vector<Method> kMethods = {
      {"nearest_line", "nearest by straight line", MatchingMethod::kNearestByLine,
       SharingMode::kOff, false},
      {"nearest_time", "nearest by travel time", MatchingMethod::kNearestByTime, SharingMode::kOff,
       false},
      {"assignment", "assignment", MatchingMethod::kAssignment, SharingMode::kOff, false},
      {"shared_insertion", "shared, insertion", MatchingMethod::kAssignment,
       SharingMode::kInsertion, true},
      {"shared_search", "shared, insertion + local search", MatchingMethod::kAssignment,
       SharingMode::kInsertionAndMoves, true},
  };
  return kMethods;
}

absl::Status CheckMethodKeys(const std::vector<std::string>& keys) {
  std::vector<std::string> known;
  for (const Method& method : ComparedMethods()) known.emplace_back(method.key);
  for (const std::string& key : keys) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    return absl::InvalidArgumentError(
        fmt::format("--methods: there is no method '{}', only {}", key, fmt::join(known, ", ")));
  }
  return absl::OkStatus();
}

VirtualCityOptions With(VirtualCityOptions options, const Method& method) {
  options.market.matching = method.matching;
  options.market.sharing.mode = method.sharing;
  if (!method.riders_share) options.shared_probability = 0;
  return options;
}

std::string ComparisonHead(std::size_t fleet, bool charged) {
  return fmt::format(
      "\n{} drivers{}\n  {:<34}{:>9}{:>9}{:>9}{:>9}{:>10}{:>9}{:>9}{:>8}{:>10}{:>10}{:>8}\n", fleet,
      charged ? ", the time for deciding charged" : "", "", "served %", "wait s", "p95 s",
      "detour %", "km/rider", "empty %", "riders", "broken", "round p50", "p99 ms", "late");
}

std::string ComparisonLine(const Method& method, const CityResult& result) {
  const auto asked = static_cast<double>(result.requests - result.refused);
  return fmt::format(
      "  {:<34}{:>9.1f}{:>9.1f}{:>9.1f}{:>9.1f}{:>10.2f}{:>9.1f}{:>9.2f}{:>8}{:>10.2f}{:>10.2f}"
      "{:>8}\n",
      method.meaning, asked == 0 ? 0 : 100 * static_cast<double>(result.served) / asked,
      result.wait_mean_s, result.wait_p95_s, 100 * result.detour, result.km_per_rider,
      100 * result.empty_share, result.riders_per_car, result.broken_promises, result.round_ms_p50,
      result.round_ms_p99, result.rounds_out_of_time);
}

}  // namespace ridestream::bench
