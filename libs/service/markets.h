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

/// A market that a process serves, and the source of its streets.
struct MarketSpec {
  MarketId market;
  /// "city:SEED" or the path of an OSM extract.
  std::string streets;
};

/// Parses "NAME=STREETS[,NAME=STREETS …]", the form of --markets. INVALID_ARGUMENT with the reason.
absl::StatusOr<std::vector<MarketSpec>> ParseMarkets(std::string_view text);

/// Parses "NAME[,NAME …]". For "NAME=STREETS", the form of other services, takes the name.
/// INVALID_ARGUMENT with the reason.
absl::StatusOr<std::set<std::string, std::less<>>> ParseMarketNames(std::string_view text);

/// The markets that a process serves. Immutable.
class ServedMarkets {
 public:
  /// Serves every market.
  ServedMarkets() = default;
  /// Serves only these markets.
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
  /// FAILED_PRECONDITION if this process doesn't serve `market`, which must be a valid id. The
  /// message begins with `field`, the path of the field with the market, and lists the served
  /// markets.
  absl::Status Check(std::string_view market, std::string_view field) const;

 private:
  std::optional<std::set<std::string, std::less<>>> markets_;
};

}  // namespace ridestream::service
