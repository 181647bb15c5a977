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
/// Each market has a lock of its own, and a call holds it once: exclusively for a batch of
/// positions (about 1 ms for the largest of 4,096), shared for queries and frames. The lock is fair
/// to both sides, so a caller with many queries asks in portions of kQueriesPerLock (about 0.1 ms)
/// to let batches in between.
///
/// Order of locks: `mu_` is released before a market's lock is taken.
class LocationIndex {
 public:
  static constexpr size_t kQueriesPerLock = 32;

  explicit LocationIndex(const IndexOptions& options) : options_(options) {}

  /// Applies one batch, in order. All of it is rejected if its market would be one too many.
  ApplyCounts Apply(std::string_view market, std::span<const PositionReport> reports, Time now);

  /// One answer for each query, all of the same instant. An unknown market has no drivers.
  std::vector<NearbyDrivers> FindNearest(std::string_view market,
                                         std::span<const NearestQuery> queries, Time now) const;

  /// A market's drivers now, and its positions so far by outcome; zeros if the market is unknown.
  struct Stats {
    size_t drivers = 0;
    ApplyCounts positions;
  };
  Stats GetStats(std::string_view market) const;
  /// The names of the markets that are held.
  std::vector<std::string> Markets() const;

  /// `view` must be of this market only, and isn't used by another thread meanwhile.
  AreaFrame NextFrame(std::string_view market, AreaView& view, Time now) const;

 private:
  struct Market {
    explicit Market(const IndexOptions& options) : index(options) {}
    mutable FairSharedMutex mu;
    MarketIndex index ABSL_GUARDED_BY(mu);
    ApplyCounts counts ABSL_GUARDED_BY(mu);
  };

  /// Null if there is none.
  const Market* Find(std::string_view market) const;
  /// Null if it would be one too many.
  Market* FindOrAdd(std::string_view market);

  const IndexOptions options_;
  mutable Mutex mu_;
  // A market, once there, stays: pointers to it remain valid without the lock.
  absl::flat_hash_map<std::string, std::unique_ptr<Market>> markets_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::location
