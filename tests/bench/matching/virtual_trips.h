#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/roads/engine/router.h"
#include "loadtest/demand/demand.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/trip/domain/promise.h"
#include "services/trip/storage/memory_trip_store.h"

namespace ridestream::bench {

/// The trip service's own core in memory and virtual time: quotes, requests, commands, and the log.
/// Not thread-safe.
class VirtualTrips {
 public:
  using Listener = std::function<void(const trip::v1::TripEvent&)>;

  VirtualTrips(std::string market, const roads::Router& router, const trip::SharingTerms& terms,
               Listener listener);

  void MoveTo(Time now) { clock_.Advance(now - clock_.Now()); }

  /// Makes a quote and a request for it. Fails like QuoteTrip, e.g. for a place off the streets.
  absl::Status Request(const std::string& id, const loadtest::Request& wish, bool shared);
  /// Carries out a command of dispatch.
  absl::StatusOr<trip::v1::Trip> Do(const dispatch::TripCommand& command);
  /// The current records of all trips.
  std::vector<trip::v1::Trip> All() const;
  /// Travel time of the direct route.
  static Duration Direct(const trip::v1::Trip& trip);

 private:
  const std::string market_;
  const roads::Router& router_;
  const trip::SharingTerms terms_;
  ManualClock clock_;
  trip::MemoryTripStore store_;
};

}  // namespace ridestream::bench
