#pragma once

#include <optional>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "libs/base/mutex.h"
#include "loadtest/rider/offer_log.h"

namespace ridestream::loadtest {

/// Joins what riders and drivers know about a trip: from when its request was due until its first
/// offer reached a driver. Either may report first, because a driver may learn of a trip before its
/// rider does. About 100 bytes per trip. Thread-safe.
class FirstOffers {
 public:
  /// `log`, unless null, receives each pair and must outlive this object.
  explicit FirstOffers(OfferLog* log = nullptr) : log_(log) {}

  /// The call that completes the pair returns the time between the two, once per trip.
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
