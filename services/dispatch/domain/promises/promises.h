#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/plan/driver_plan.h"
#include "services/dispatch/domain/promises/rider_etas.h"

namespace ridestream::dispatch {

/// What riders may expect of their cars: when they come, and whether what was promised holds.
/// Watches the promises of all trips that have a driver, and reports the cars' positions to riders.
/// A promise that was seen broken stays broken until the trip ends. Not thread-safe.
class Promises {
 public:
  /// Interval at which a rider whose promised time is over is notified again, also while the car is
  /// silent: notifications aren't stored and may be lost.
  static constexpr Duration kTellLateEvery = std::chrono::seconds(10);

  /// A car, as far as it matters to its riders.
  struct Car {
    const DriverPlan& plan;
    std::optional<LatLng> position;
    /// Not heard for too long.
    bool suspect = false;
  };

  /// `timers` outlives it.
  explicit Promises(Timers& timers) : timers_(timers) {}

  /// Tells the car's riders where it is, when it comes, and whether that is as promised.
  void TellRiders(const Car& car, Step& step);
  /// The trip's stops may have changed: waits for its next promise (TimerKind::kPromiseDue).
  void Watch(const Car& car, const TripId& trip, Step& step);
  /// The time that the trip's rider was promised is over.
  void Due(const Car& car, const TripId& trip, Step& step);
  /// Holds what was promised against the newest record of a trip. True if that shows for the first
  /// time that the promise is broken.
  bool HoldToRecord(const trip::v1::Trip& trip);
  /// The trip is in no plan any more.
  void Unwatch(const TripId& trip);
  /// The trip is over, or unknown to its owner.
  void Forget(const TripId& trip) { late_.erase(trip); }

  /// Trips whose riders were notified of a broken promise.
  std::uint64_t broken() const { return broken_; }
  /// ETAs that were sent again to riders because the earlier ones were too far off.
  std::uint64_t eta_corrections() const { return etas_.corrections(); }

 private:
  /// False if it was broken before.
  bool Break(const TripId& trip);
  ReportProgress MakeReport(const Car& car, const TripId& trip, Time now);

  Timers& timers_;
  /// Open trips with a promise that was seen broken, whoever drives them now.
  absl::flat_hash_set<TripId> late_;
  std::uint64_t broken_ = 0;
  RiderEtas etas_;
};

}  // namespace ridestream::dispatch
