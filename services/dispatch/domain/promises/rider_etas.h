#pragma once

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// The ETAs at their next stop that riders have. An expectation changes a little with each
/// position; a rider wants to know only what matters. Not thread-safe.
class RiderEtas {
 public:
  /// Change of the estimate from which a sent ETA is corrected.
  static constexpr Duration kWorthTelling = std::chrono::seconds(30);

  /// The ETA to send when the car is `expected` then: the earlier ETA, unless the estimate has
  /// changed by too much, or the trip's state is another by now.
  Time Tell(const TripId& trip, trip::v1::TripState state, Time expected);
  /// The trip has ended, or its driver changes.
  void Forget(const TripId& trip) { told_.erase(trip); }

  /// How often a time was corrected in the middle of a state.
  std::uint64_t corrections() const { return corrections_; }

 private:
  struct Told {
    trip::v1::TripState state = trip::v1::TRIP_STATE_UNSPECIFIED;
    Time arrives_at{};
  };
  absl::flat_hash_map<TripId, Told> told_;
  std::uint64_t corrections_ = 0;
};

}  // namespace ridestream::dispatch
