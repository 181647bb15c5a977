#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "tests/bench/matching/virtual_city.h"

namespace ridestream::bench {

/// One of the compared methods of matching riders and drivers.
struct Method {
  /// Stable, because JSON output uses it.
  std::string_view key;
  std::string_view meaning;
  dispatch::MatchingMethod matching;
  dispatch::SharingMode sharing;
  /// Whether riders who agreed to share may do so; otherwise every rider has the car alone.
  bool riders_share;
};

/// The methods in order, from the simplest on; each differs from the previous one in one property.
const std::vector<Method>& ComparedMethods();

/// INVALID_ARGUMENT unless each key is that of a method.
absl::Status CheckMethodKeys(const std::vector<std::string>& keys);

VirtualCityOptions With(VirtualCityOptions options, const Method& method);

/// The table's heading, and one line for each run.
std::string ComparisonHead(std::size_t fleet, bool charged);
std::string ComparisonLine(const Method& method, const CityResult& result);

}  // namespace ridestream::bench
