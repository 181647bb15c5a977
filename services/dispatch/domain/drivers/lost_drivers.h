#pragma once

#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/domain/trips/trip_commands.h"

namespace ridestream::dispatch {

/// Handles the trips of lost drivers: releases them before the pick-up. A rider aboard is notified
/// that the driver is lost, and after a while the trip service is asked to cancel the trip. Not
/// thread-safe.
class LostDrivers {
 public:
  /// All must outlive this object. A trip with its rider aboard is cancelled `abandon_after` the
  /// driver was lost.
  LostDrivers(Duration abandon_after, const TripBook& trips, TripCommands& commands, Fleet& fleet,
              Timers& timers)
      : abandon_after_(abandon_after),
        trips_(trips),
        commands_(commands),
        fleet_(fleet),
        timers_(timers) {}

  /// The driver has been suspect for too long.
  void Lose(const DriverId& driver, Step& step);
  /// Reports to the trip service whether the driver is lost, for trips with the rider aboard whose
  /// record differs.
  void Report(const DriverId& driver, Step& step);
  void Report(const OpenTrip& open, Step& step);
  /// Sets or cancels the time after which the trip of a lost driver ends
  /// (TimerKind::kDriverStaysAway), by the trip's newest record.
  void Watch(const trip::v1::Trip& trip, Step& step);
  void Unwatch(const TripId& trip);
  void StaysAway(const TripId& trip, Step& step);

 private:
  const Duration abandon_after_;
  const TripBook& trips_;
  TripCommands& commands_;
  Fleet& fleet_;
  Timers& timers_;
};

}  // namespace ridestream::dispatch
