#pragma once

#include "ridestream/trip/v1/trip.pb.h"
#include "services/trip/domain/names.h"

namespace ridestream::trip {

/// A watcher's view of a trip: the newest record, and the driver's last status while it applies.
/// Not thread-safe.
class TripView {
 public:
  /// What is shown now; its trip has version 0 as long as none is known.
  const v1::WatchTripResponse& message() const { return message_; }

  /// False, and nothing changed, if the record isn't newer.
  bool Take(const v1::Trip& trip) {
    const v1::Trip& known = message_.trip();
    if (trip.version() <= known.version()) return false;
    // Another driver's position says nothing any more, nor does the ETA at the pick-up once aboard.
    if (trip.driver().driver_id() != known.driver().driver_id() ||
        (trip.state() != known.state() && trip.state() != v1::TRIP_STATE_ARRIVED)) {
      message_.clear_progress();
    }
    *message_.mutable_trip() = trip;
    return true;
  }

  /// False if the trip has no driver.
  bool Take(const v1::Progress& progress) {
    if (!IsOpen(message_.trip().state()) || !message_.trip().has_driver()) return false;
    *message_.mutable_progress() = progress;
    return true;
  }

 private:
  v1::WatchTripResponse message_;
};

}  // namespace ridestream::trip
