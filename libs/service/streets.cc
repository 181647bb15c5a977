#include "libs/service/streets.h"

#include <fmt/format.h>

#include "absl/flags/flag.h"
#include "absl/strings/str_join.h"
#include "libs/service/markets.h"
#include "libs/service/service.h"

ABSL_FLAG(std::string, markets, "city=city:1",
          "Markets to serve and their streets: NAME=STREETS[,…], where STREETS is city:SEED (the "
          "built-in city) or an OpenStreetMap file");
ABSL_FLAG(std::string, roads_cache, "",
          "Folder in which prepared streets are kept between starts. Empty: not kept");

namespace ridestream::service {
namespace {

absl::StatusOr<std::unique_ptr<roads::Streets>> Load(const MarketSpec& spec) {
  absl::StatusOr<std::unique_ptr<roads::Streets>> streets =
      roads::Streets::Load(spec.streets, {.cache_folder = absl::GetFlag(FLAGS_roads_cache)});
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

}  // namespace

absl::StatusOr<StreetsByMarket> LoadStreetsFromFlags() {
  const auto specs = ParseMarkets(absl::GetFlag(FLAGS_markets));
  if (!specs.ok()) return specs.status();
  StreetsByMarket markets;
  for (const MarketSpec& spec : *specs) {
    auto streets = Load(spec);
    if (!streets.ok()) return streets.status();
    markets.emplace(spec.market, *std::move(streets));
  }
  return markets;
}

std::string Describe(const StreetsByMarket& markets) {
  return absl::StrJoin(markets, ", ", [](std::string* out, const auto& market) {
    out->append(fmt::format("{} ({})", market.first, market.second->description()));
  });
}

}  // namespace ridestream::service
