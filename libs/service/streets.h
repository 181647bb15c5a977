#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/roads/streets.h"
#include "libs/service/markets.h"

namespace ridestream::service {

/// Loads a market's streets and logs what they are. `cache_folder` is that of --roads_cache. Errors
/// are those of roads::Streets::Load, and name the market.
absl::StatusOr<std::unique_ptr<roads::Streets>> LoadStreets(const MarketSpec& spec,
                                                            const std::string& cache_folder);

}  // namespace ridestream::service
