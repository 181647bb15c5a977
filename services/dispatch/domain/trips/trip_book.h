#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// Whether a trip in this state never changes again.
bool IsEnded(trip::v1::TripState state);

/// An open trip: its newest record, and what isn't recorded.
struct OpenTrip {
  trip::v1::Trip trip;
  /// When the driver reported the pick-up; nullopt if this process didn't receive the report, for
  /// example before a restart.
  std::optional<Time> picked_up_at;
};

struct EndedTrip {
  trip::v1::TripState state = trip::v1::TRIP_STATE_UNSPECIFIED;
  /// The trip's last driver, if any.
  DriverId driver;
  /// The driver ended the trip.
  bool by_driver = false;
};

/// The newest record of each open trip, and for a while the ids of ended trips, so that a late,
/// older record doesn't reopen one. Not thread-safe.
class TripBook {
 public:
  /// Number of ended trips that are kept. An answer of the trip service is late by seconds at most,
  /// in which a large market ends some hundreds of trips.
  static constexpr std::size_t kEndedRemembered = 8'192;

  /// Stores a record. Returns false without a change if it isn't newer than the stored one.
  bool Record(const trip::v1::Trip& trip);

  /// Null if the trip is unknown or has ended. The pointer is valid until the trip ends.
  OpenTrip* Find(const TripId& id);
  const OpenTrip* Find(const TripId& id) const;
  /// Null if the trip is open, unknown, or ended long ago.
  const EndedTrip* FindEnded(const TripId& id) const;

  /// Removes a trip that the trip service doesn't know.
  void Forget(const TripId& id) { open_.erase(id); }

  const std::map<TripId, OpenTrip>& open() const { return open_; }

 private:
  std::map<TripId, OpenTrip> open_;
  absl::flat_hash_map<TripId, EndedTrip> ended_;
  std::deque<TripId> ended_order_;
};

}  // namespace ridestream::dispatch
