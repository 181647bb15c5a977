#pragma once

#include <optional>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "libs/base/mutex.h"

namespace ridestream::loadtest {

/// Joins what riders and drivers know of a trip: from when its request was due until its first
/// offer was in a driver's hand. Either may come first, since a driver may hear of a trip before
/// its rider does. About 100 bytes a trip. Thread-safe.
class FirstOffers {
 public:
  /// Each returns the time between the two when it is the call that completes them: once a trip.
  std::optional<Duration> OnRequested(const TripId& trip_id, Time due) {
    MutexLock lock(mu_);
    Entry& entry = trips_[trip_id];
    if (entry.due) return std::nullopt;
    entry.due = due;
    return entry.Between();
  }
  std::optional<Duration> OnOffer(const TripId& trip_id, Time at) {
    MutexLock lock(mu_);
    Entry& entry = trips_[trip_id];
    if (entry.offered) return std::nullopt;
    entry.offered = at;
    return entry.Between();
  }

 private:
  struct Entry {
    std::optional<Time> due, offered;
    std::optional<Duration> Between() const {
      return due && offered ? std::optional(*offered - *due) : std::nullopt;
    }
  };
  Mutex mu_;
  absl::flat_hash_map<TripId, Entry> trips_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::loadtest
