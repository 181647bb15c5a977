#pragma once

#include <optional>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "libs/base/mutex.h"
#include "loadtest/rider/offer_log.h"

namespace ridestream::loadtest {

/// Joins what riders and drivers know of a trip: from when its request was due until its first
/// offer was in a driver's hand. Either may come first, since a driver may hear of a trip before
/// its rider does. About 100 bytes a trip. Thread-safe.
class FirstOffers {
 public:
  /// `log`, if it isn't null, gets each pair, and must outlive this object.
  explicit FirstOffers(OfferLog* log = nullptr) : log_(log) {}

  /// Each returns the time between the two when it is the call that completes them: once a trip.
  std::optional<Duration> OnRequested(const TripId& trip_id, Time due) {
    MutexLock lock(mu_);
    Entry& entry = trips_[trip_id];
    if (entry.due) return std::nullopt;
    entry.due = due;
    return Complete(entry);
  }
  std::optional<Duration> OnOffer(const TripId& trip_id, Time at) {
    MutexLock lock(mu_);
    Entry& entry = trips_[trip_id];
    if (entry.offered) return std::nullopt;
    entry.offered = at;
    return Complete(entry);
  }

 private:
  struct Entry {
    std::optional<Time> due, offered;
  };
  std::optional<Duration> Complete(const Entry& entry) const {
    if (!entry.due || !entry.offered) return std::nullopt;
    if (log_ != nullptr) log_->Add(*entry.due, *entry.offered);
    return *entry.offered - *entry.due;
  }

  OfferLog* const log_;
  Mutex mu_;
  absl::flat_hash_map<TripId, Entry> trips_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::loadtest
