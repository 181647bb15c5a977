#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/matching/virtual_city.h"

namespace ridestream::bench {

/// A rung: how riders and drivers are brought together.
struct Method {
  /// Stable, for JSON.
  std::string_view key;
  std::string_view meaning;
  dispatch::MatchingMethod matching;
  dispatch::SharingMode sharing;
  /// Riders who would share may do so; otherwise each has the car alone.
  bool riders_share;
};

/// From the plainest on; each differs from the one before in one thing.
const std::vector<Method>& Ladder();

VirtualCityOptions With(VirtualCityOptions options, const Method& method);

/// The table's head, and one line a run.
std::string LadderHead(std::size_t fleet, bool charged);
std::string LadderLine(const Method& method, const CityResult& result);

}  // namespace ridestream::bench
