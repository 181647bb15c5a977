#pragma once

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// The ETAs at the next stop that were sent to riders. The estimate changes slightly with each
/// position, and only significant changes are sent. Not thread-safe.
class RiderEtas {
 public:
  /// Change of the estimate from which a sent ETA is corrected.
  static constexpr Duration kSignificantChange = std::chrono::seconds(30);

  /// Returns the ETA to send for the estimate `expected`: the previous one, unless the estimate has
  /// changed too much or the trip is in a different state.
  Time Update(const TripId& trip, trip::v1::TripState state, Time expected);
  /// The trip has ended, or gets another driver.
  void Forget(const TripId& trip) { sent_.erase(trip); }

  /// Number of corrections that weren't caused by a change of state.
  std::uint64_t corrections() const { return corrections_; }

 private:
  struct Sent {
    trip::v1::TripState state = trip::v1::TRIP_STATE_UNSPECIFIED;
    Time arrives_at{};
  };
  absl::flat_hash_map<TripId, Sent> sent_;
  std::uint64_t corrections_ = 0;
};

}  // namespace ridestream::dispatch
