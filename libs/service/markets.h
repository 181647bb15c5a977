#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
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

/// Reads names alone, "NAME[,NAME …]"; of "NAME=STREETS", which other services need, the name is
/// taken. INVALID_ARGUMENT says what is wrong.
absl::StatusOr<std::set<std::string, std::less<>>> ParseMarketNames(std::string_view text);

/// The markets that a process serves. Immutable.
class ServedMarkets {
 public:
  /// Serves every market.
  ServedMarkets() = default;
  /// Serves these alone.
  explicit ServedMarkets(std::set<std::string, std::less<>> markets)
      : markets_(std::move(markets)) {}

  /// Serves the keys of a map, which are strings or MarketIds.
  template <class Map>
  static ServedMarkets KeysOf(const Map& map) {
    std::set<std::string, std::less<>> markets;
    for (const auto& entry : map) {
      if constexpr (requires { entry.first.str(); }) {
        markets.insert(entry.first.str());
      } else {
        markets.insert(entry.first);
      }
    }
    return ServedMarkets(std::move(markets));
  }

  /// FAILED_PRECONDITION when this process doesn't serve `market`. The message begins with `field`,
  /// which names the market, and lists those that are served. `market` is valid as an id.
  absl::Status Check(std::string_view market, std::string_view field) const;

 private:
  std::optional<std::set<std::string, std::less<>>> markets_;
};

}  // namespace ridestream::service
