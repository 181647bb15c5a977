#include "libs/service/markets.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/status/status.h"
#include "libs/base/validation.h"

namespace ridestream::service {

absl::StatusOr<std::vector<MarketSpec>> ParseMarkets(std::string_view text) {
  std::vector<MarketSpec> markets;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == entry.size()) {
      return absl::InvalidArgumentError(fmt::format(
          "--markets: '{}' is not NAME=STREETS, e.g. city=city:1 or porto=porto.osm.pbf", entry));
    }
    const MarketId market(entry.substr(0, equals));
    if (absl::Status status = ValidateId(market.str(), "--markets: a name"); !status.ok()) {
      return status;
    }
    for (const MarketSpec& other : markets) {
      if (other.market == market) {
        return absl::InvalidArgumentError(fmt::format("--markets: '{}' stands twice", market));
      }
    }
    markets.push_back({market, std::string(entry.substr(equals + 1))});
  }
  if (markets.empty()) return absl::InvalidArgumentError("--markets: is empty");
  return markets;
}

}  // namespace ridestream::service
