#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/id.h"
#include "libs/roads/streets.h"

namespace ridestream::service {

using StreetsByMarket = std::map<MarketId, std::unique_ptr<roads::Streets>>;

/// Loads the streets of each market in --markets, with --roads_cache as the cache folder, and logs
/// them. Errors are those of ParseMarkets and roads::Streets::Load, with the market's name.
absl::StatusOr<StreetsByMarket> LoadStreetsFromFlags();

/// "porto (…), lisbon (…)": names and streets, for a log line.
std::string Describe(const StreetsByMarket& markets);

}  // namespace ridestream::service
