#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/mutex.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

inline constexpr std::uint32_t kNoSurgePercent = 100;
inline constexpr std::uint32_t kMaxSurgePercent = 1'000;
inline constexpr int kMaxSurgeCells = 65'536;

/// INVALID_ARGUMENT names the field: too many cells, one that S2 doesn't know, cells of several
/// levels or the same twice, a percentage out of bounds.
absl::Status ValidateSurge(const v1::ReportSurgeRequest& report);

/// Where rides cost more now, market by market: the newest report of each, in memory only.
/// Thread-safe.
class SurgeTable {
 public:
  /// A report without a successor is dropped after this time, since its sender is gone.
  static constexpr Duration kLasts = std::chrono::minutes(2);

  /// Replaces the market's report before `now`; an older report than that is ignored. The report
  /// must be valid.
  void Replace(const v1::ReportSurgeRequest& report, Time now);
  /// What a ride that begins there costs, in percent of the tariff: 100 or more.
  std::uint32_t PercentAt(const std::string& market, LatLng pickup, Time now) const;

 private:
  struct Market {
    Time told_at{};
    int level = 0;
    absl::flat_hash_map<std::uint64_t, std::uint32_t> cells;
  };
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Market> markets_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::trip
