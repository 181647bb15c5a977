#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/plan/answers.h"
#include "services/dispatch/matching/insertion.h"

namespace ridestream::dispatch {

/// How a change of the stops affects the route.
enum class RouteChange {
  /// Unaffected: the same places in the same order.
  kNone,
  /// Stops were removed at its beginning; the rest of the route remains valid.
  kShortened,
  /// A new route is needed.
  kNew,
};

struct PlanChange {
  /// UNSPECIFIED: nothing changed.
  v1::PlanCause cause = v1::PLAN_CAUSE_UNSPECIFIED;
  RouteChange route = RouteChange::kNone;
  /// The driver's commands that led to the change.
  Answers answers = {};
};

/// The stops of a plan after which a new rider's stops are inserted. All preceding stops are
/// listed, since some may have been removed by then. The drop-off never comes before the pick-up.
struct Placement {
  struct StopKey {
    TripId trip;
    v1::StopKind kind = v1::STOP_KIND_UNSPECIFIED;
  };
  std::vector<StopKey> before_pickup;
  std::vector<StopKey> before_dropoff;
};

struct PlannedStop {
  v1::Stop stop;
  /// Travel time from the route's start; meaningless without a route.
  Duration on_route{};
  /// Latest promised time; Time::max() without a promise.
  Time latest = Time::max();

  bool IsOf(const TripId& trip) const;
};

/// The stops of a driver's plan in the order of driving: who gets in and out where, and by when.
/// Holds any number of trips. Of a route it knows only where each stop lies on it. Not thread-safe.
class PlannedStops {
 public:
  /// The first revision is larger than `first_revision`.
  explicit PlannedStops(std::uint64_t first_revision) : revision_(first_revision) {}

  // As DriverPlan's.
  PlanChange Apply(const trip::v1::Trip& trip, const Placement* placement);
  bool KeepToSeats(std::uint32_t seats);
  PlanChange Remove(const TripId& trip, v1::PlanCause cause);
  bool Has(const TripId& trip) const;
  bool IsAboard(const TripId& trip) const;
  bool HasAnybodyAboard() const;
  trip::v1::TripState StateOf(const TripId& trip) const;
  std::vector<TripId> Trips() const;
  std::uint32_t SeatsTaken() const;
  std::vector<LatLng> Places() const;
  Placement PlacementFor(const Insertion& insertion) const;
  std::vector<TripId> MovableTrips() const;
  Time NextPromise(const TripId& trip) const;
  /// Increases with every change.
  std::uint64_t revision() const { return revision_; }

  /// Travel time from the route's start to each stop; as many as there are stops.
  void SetOnRoute(const std::vector<Duration>& to_stop) {
    for (std::size_t i = 0; i < stops_.size(); ++i) stops_[i].on_route = to_stop[i];
  }

  bool empty() const { return stops_.empty(); }
  std::size_t size() const { return stops_.size(); }
  const PlannedStop& front() const { return stops_.front(); }
  const PlannedStop& operator[](std::size_t i) const { return stops_[i]; }
  auto begin() const { return stops_.begin(); }
  auto end() const { return stops_.end(); }

 private:
  using Stops = std::vector<PlannedStop>;

  Stops::iterator FindStop(const TripId& trip, v1::StopKind kind);
  void AddStops(const trip::v1::Trip& trip, const Placement* placement);
  /// Returns the first of `stops` that is possible with this number of people aboard.
  static Stops::iterator NextWithin(Stops& stops, std::uint32_t aboard, std::uint32_t seats);
  /// Returns the index of a stop that comes after all of these.
  Stops::iterator Behind(const std::vector<Placement::StopKey>& keys);

  Stops stops_;
  std::uint64_t revision_;
};

}  // namespace ridestream::dispatch
