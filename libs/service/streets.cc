#include "libs/service/streets.h"

#include <fmt/format.h>

#include "libs/service/service.h"

namespace ridestream::service {

absl::StatusOr<std::unique_ptr<roads::Streets>> LoadStreets(const MarketSpec& spec,
                                                            const std::string& cache_folder) {
  absl::StatusOr<std::unique_ptr<roads::Streets>> streets =
      roads::Streets::Load(spec.streets, {.cache_folder = cache_folder});
  if (!streets.ok()) {
    return absl::Status(streets.status().code(),
                        fmt::format("--markets: market '{}': {}", spec.market,
                                    std::string(streets.status().message())));
  }
  Log(Level::kInfo, "streets_loaded",
      {{"market", spec.market.str()},
       {"streets", (*streets)->description()},
       {"routing", (*streets)->preparation()}});
  return streets;
}

}  // namespace ridestream::service
