#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "loadtest/auditor/histories.h"
#include "loadtest/base/random.h"
#include "loadtest/driver/car.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::loadtest {

/// Carries out a driver's plan: steers the car from stop to stop, lets riders in and out, and
/// returns the steps to report. A step is repeated until the plan shows its effect. Not
/// thread-safe.
class Itinerary {
 public:
  struct Options {
    /// Minimum boarding time; alighting takes a third of it.
    Duration boarding_min = std::chrono::seconds(5);
    Duration boarding_max = std::chrono::seconds(30);
    /// How long to wait before a rejected step is retried.
    Duration retry = std::chrono::seconds(5);
  };
  explicit Itinerary(const Options& options) : options_(options) {}

  enum class Source { kPush, kSnapshot };
  /// Takes a newer plan and the course of its route. A fresh session's snapshot may repeat the
  /// newest plan. Violations are recorded in `history`.
  void OnPlan(const dispatch::v1::Plan& plan, Source source, Time now, Car& car,
              DriverHistory& history);
  /// Discards everything but the version.
  void Clear();

  /// The car has moved to `now`. Returns a step, once for each time that it must be sent.
  std::optional<dispatch::v1::StopUpdate> OnTime(Time now, const Car& car, Random& random);
  /// When to call OnTime, besides when the car halts; Time::max() for never.
  Time wake_at() const;

  /// The step was rejected: it is retried later if the plan still requires it.
  void OnRejected(const dispatch::v1::StopUpdate& step, Time now);
  /// The stream was lost: steps without a visible effect are sent again.
  void OnResumed();

  bool idle() const { return stops_.empty(); }
  /// Whether a step was sent whose effect hasn't been seen yet.
  bool waiting() const { return step_ && step_sent_; }
  /// Whether the trip's pick-up is still ahead, with no step of it under way.
  bool BeforePickUp(const TripId& trip_id) const;
  bool Has(const TripId& trip_id) const;
  std::uint64_t version() const { return version_; }

 private:
  struct Stop {
    dispatch::v1::StopKind kind;
    TripId trip_id;
    LatLng place;
    std::int64_t at_ms;  // Position on the car's course.
    bool arrived;
  };
  void ApplyRoute(const dispatch::v1::Plan& plan, Time now, Car& car, DriverHistory& history);
  void ApplyStops(const dispatch::v1::Plan& plan, const Car& car);
  void CountSeats(const dispatch::v1::Plan& plan, DriverHistory& history) const;
  bool IsDone(const dispatch::v1::StopUpdate& step) const;

  const Options options_;
  std::uint64_t version_ = 0;
  std::uint64_t route_id_ = 0;
  std::vector<std::int64_t> new_stop_ms_;  // Stops of a plan whose route is new.
  std::vector<Stop> stops_;
  std::optional<dispatch::v1::StopUpdate> step_;  // The step that is being made or was sent.
  Time step_at_{};
  bool step_sent_ = false;
};

}  // namespace ridestream::loadtest
