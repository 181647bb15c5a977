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

/// What riders may expect from their cars: when they arrive, and whether promises hold. Watches the
/// promises of all trips with a driver, and reports the cars' positions to riders. A promise that
/// was detected as broken stays broken until the trip ends. Not thread-safe.
class Promises {
 public:
  /// Interval at which a rider whose promised time has passed is notified again, even while the car
  /// is silent. Notifications aren't stored and may be lost.
  static constexpr Duration kTellLateEvery = std::chrono::seconds(10);

  /// What a car's riders need to know about it.
  struct Car {
    const DriverPlan& plan;
    std::optional<LatLng> position;
    /// Whether the car has been silent for too long.
    bool suspect = false;
  };

  /// `timers` must outlive this object.
  explicit Promises(Timers& timers) : timers_(timers) {}

  /// Reports to the car's riders its position, its ETA, and whether the promise holds.
  void ReportToRiders(const Car& car, Step& step);
  /// The trip's stops may have changed: sets the timer for its next promise
  /// (TimerKind::kPromiseDue).
  void Watch(const Car& car, const TripId& trip, Step& step);
  /// The time promised to the trip's rider has passed.
  void Due(const Car& car, const TripId& trip, Step& step);
  /// Compares the promise with the newest record of a trip. Returns true if this shows for the
  /// first time that the promise is broken.
  bool HoldToRecord(const trip::v1::Trip& trip);
  /// The trip isn't in a plan any more.
  void Unwatch(const TripId& trip);
  /// The trip has ended, or the trip service doesn't know it.
  void Forget(const TripId& trip) { late_.erase(trip); }

  /// Number of trips whose riders were notified of a broken promise.
  std::uint64_t broken() const { return broken_; }
  /// Number of ETAs that were corrected because the estimate had changed too much.
  std::uint64_t eta_corrections() const { return etas_.corrections(); }

 private:
  /// Returns false if the promise was broken before.
  bool Break(const TripId& trip);
  ReportProgress MakeReport(const Car& car, const TripId& trip, Time now);

  Timers& timers_;
  /// Open trips with a promise that was detected as broken, whoever drives them now.
  absl::flat_hash_set<TripId> late_;
  std::uint64_t broken_ = 0;
  RiderEtas etas_;
};

}  // namespace ridestream::dispatch
