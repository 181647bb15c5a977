#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/id.h"
#include "libs/roads/streets.h"

namespace ridestream::service {

using StreetsByMarket = std::map<MarketId, std::unique_ptr<roads::Streets>>;

/// Loads the streets of each market in --markets, through the folder --roads_cache, and logs what
/// they are. Errors are those of ParseMarkets and roads::Streets::Load, and name the market.
absl::StatusOr<StreetsByMarket> LoadStreetsFromFlags();

/// "porto (…), lisbon (…)": names and streets, for a line of the log.
std::string Describe(const StreetsByMarket& markets);

}  // namespace ridestream::service
