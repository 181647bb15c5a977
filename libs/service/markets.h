#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/id.h"

namespace ridestream::service {

/// A market that a process serves, and where its streets come from.
struct MarketSpec {
  MarketId market;
  /// "city:SEED" or the path of an OSM extract.
  std::string streets;
};

/// Reads "NAME=STREETS[,NAME=STREETS …]", the form of --markets. INVALID_ARGUMENT says what is
/// wrong.
absl::StatusOr<std::vector<MarketSpec>> ParseMarkets(std::string_view text);

}  // namespace ridestream::service
