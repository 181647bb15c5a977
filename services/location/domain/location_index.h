#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"
#include "services/location/domain/area_view.h"
#include "services/location/domain/fair_shared_mutex.h"
#include "services/location/domain/market_index.h"

namespace ridestream::location {

/// The indexes of all markets. Thread-safe.
///
/// Each market has its own lock, which a call takes once: exclusively for a batch of positions
/// (about 1 ms for the largest, 4,096), shared for queries and frames. The lock is fair to readers
/// and writers, so callers split many queries into portions of kQueriesPerLock (about 0.1 ms each)
/// to let batches in between.
/// Lock order: `mu_` is released before a market's lock is taken.
class LocationIndex {
 public:
  static constexpr size_t kQueriesPerLock = 32;

  explicit LocationIndex(const IndexOptions& options) : options_(options) {}

  /// Applies one batch in order. Rejects all of it if its market is new and `max_markets` are held.
  ApplyCounts Apply(std::string_view market, std::span<const PositionReport> reports, Time now);

  /// Returns one answer for each query, all for the same instant. An unknown market has no drivers.
  std::vector<NearbyDrivers> FindNearest(std::string_view market,
                                         std::span<const NearestQuery> queries, Time now) const;

  /// A market's current number of drivers, and its positions by outcome since the start. All zero
  /// if the market is unknown.
  struct Stats {
    size_t drivers = 0;
    ApplyCounts positions;
  };
  Stats GetStats(std::string_view market) const;
  /// Names of the markets in the index.
  std::vector<std::string> Markets() const;

  /// `view` must always be used with the same market, and by one thread at a time.
  AreaFrame NextFrame(std::string_view market, AreaView& view, Time now) const;

 private:
  struct Market {
    explicit Market(const IndexOptions& options) : index(options) {}
    mutable FairSharedMutex mu;
    MarketIndex index ABSL_GUARDED_BY(mu);
    ApplyCounts counts ABSL_GUARDED_BY(mu);
  };

  /// Null if the market is unknown.
  const Market* Find(std::string_view market) const;
  /// Null if the market is new and `max_markets` are held.
  Market* FindOrAdd(std::string_view market);

  const IndexOptions options_;
  mutable Mutex mu_;
  // Markets are never removed, so pointers to them remain valid without the lock.
  absl::flat_hash_map<std::string, std::unique_ptr<Market>> markets_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::location
