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

/// True for the states after which a trip never changes again.
bool IsEnded(trip::v1::TripState state);

/// A trip that hasn't ended: its newest record, and what isn't on record of it.
struct OpenTrip {
  trip::v1::Trip trip;
  /// When the driver reported the pick-up; nothing if this market didn't get the report, as before
  /// a restart.
  std::optional<Time> picked_up_at;
};

struct EndedTrip {
  trip::v1::TripState state = trip::v1::TRIP_STATE_UNSPECIFIED;
  /// The trip's last driver, if any.
  DriverId driver;
  /// The driver ended the trip.
  bool by_driver = false;
};

/// The newest record of each open trip, and for a while which trips have ended, so that an older
/// record that comes late doesn't bring one back. Not thread-safe.
class TripBook {
 public:
  /// How many ended trips are remembered. An answer of trip's is late by seconds at most, the time
  /// in which a large market ends some hundreds.
  static constexpr std::size_t kEndedRemembered = 8'192;

  /// Takes a record in. False, and nothing changed, if it isn't newer than what the book has.
  bool Record(const trip::v1::Trip& trip);

  /// Null if the trip is unknown or has ended. The pointer is good until the trip ends.
  OpenTrip* Find(const TripId& id);
  const OpenTrip* Find(const TripId& id) const;
  /// Null if the trip is open, unknown, or ended long ago.
  const EndedTrip* FindEnded(const TripId& id) const;

  /// Removes a trip whose owner doesn't know it.
  void Forget(const TripId& id) { open_.erase(id); }

  const std::map<TripId, OpenTrip>& open() const { return open_; }

 private:
  std::map<TripId, OpenTrip> open_;
  absl::flat_hash_map<TripId, EndedTrip> ended_;
  std::deque<TripId> ended_order_;
};

}  // namespace ridestream::dispatch
