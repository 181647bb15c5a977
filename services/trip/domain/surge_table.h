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

/// INVALID_ARGUMENT names the field: too many cells, an invalid S2 cell, cells of several levels, a
/// duplicate cell, or a percentage out of range.
absl::Status ValidateSurge(const v1::ReportSurgeRequest& report);

/// The current surge of each market, as in its newest report, in memory only. Thread-safe.
class SurgeTable {
 public:
  /// A report that isn't replaced within this time is dropped, since its sender is gone.
  static constexpr Duration kLasts = std::chrono::minutes(2);

  /// Replaces the market's report by this one, made at `now`, unless a newer one is stored. The
  /// report must be valid.
  void Replace(const v1::ReportSurgeRequest& report, Time now);
  /// Price of a ride that begins there, in percent of the tariff, at least 100.
  std::uint32_t PercentAt(const std::string& market, LatLng pickup, Time now) const;

 private:
  struct Market {
    Time reported_at{};
    int level = 0;
    absl::flat_hash_map<std::uint64_t, std::uint32_t> cells;
  };
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Market> markets_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::trip
