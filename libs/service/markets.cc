#include "libs/service/markets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
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
        return absl::InvalidArgumentError(fmt::format("--markets: '{}' is listed twice", market));
      }
    }
    markets.push_back({market, std::string(entry.substr(equals + 1))});
  }
  if (markets.empty()) return absl::InvalidArgumentError("--markets: is empty");
  return markets;
}

absl::StatusOr<std::set<std::string, std::less<>>> ParseMarketNames(std::string_view text) {
  std::set<std::string, std::less<>> names;
  if (text.empty()) return absl::InvalidArgumentError("--markets: is empty");
  for (const absl::string_view entry :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const std::string name(entry.substr(0, entry.find('=')));
    if (absl::Status status = ValidateId(name, "--markets: a name"); !status.ok()) return status;
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(fmt::format("--markets: '{}' is listed twice", name));
    }
  }
  return names;
}

absl::Status ServedMarkets::Check(std::string_view market, std::string_view field) const {
  if (!markets_ || markets_->contains(market)) return absl::OkStatus();
  // Errors are sent as metadata, whose size is bounded.
  constexpr std::size_t kMaxListed = 32;
  std::string listed;
  std::size_t left = kMaxListed;
  for (auto each = markets_->begin(); each != markets_->end() && left > 0; ++each, --left) {
    listed += fmt::format("{}{}", listed.empty() ? ", only " : ", ", *each);
  }
  if (markets_->size() > kMaxListed) {
    listed += fmt::format(" and {} more", markets_->size() - kMaxListed);
  }
  return absl::FailedPreconditionError(
      fmt::format("{}: market '{}' isn't served here{}", field, market, listed));
}

}  // namespace ridestream::service
