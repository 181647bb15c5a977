#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "tests/bench/matching/virtual_city.h"

namespace ridestream::bench {

/// One of the compared methods: how riders and drivers are matched.
struct Method {
  /// Stable, for JSON.
  std::string_view key;
  std::string_view meaning;
  dispatch::MatchingMethod matching;
  dispatch::SharingMode sharing;
  /// Riders who would share may do so; otherwise each has the car alone.
  bool riders_share;
};

/// The methods in order, from the simplest; each differs from the one before in one property.
const std::vector<Method>& ComparedMethods();

/// INVALID_ARGUMENT unless each is a method's key.
absl::Status CheckMethodKeys(const std::vector<std::string>& keys);

VirtualCityOptions With(VirtualCityOptions options, const Method& method);

/// The table's head, and one line a run.
std::string ComparisonHead(std::size_t fleet, bool charged);
std::string ComparisonLine(const Method& method, const CityResult& result);

}  // namespace ridestream::bench
