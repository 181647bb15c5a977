#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/plan/drive_timer.h"
#include "services/dispatch/domain/plan/planned_stops.h"
#include "services/dispatch/domain/plan/route_progress.h"
#include "services/dispatch/matching/costs.h"

namespace ridestream::dispatch {

/// One driver's plan: the stops in the order of driving, the route through them if it is known, and
/// the car's progress along it. Holds any number of trips. Independent of sessions and requests.
/// Not thread-safe.
class DriverPlan {
 public:
  /// Maximum distance between a rider's place and the street on which the car stops, in metres.
  /// Places farther from a street get no quote (roads::Snapper::kMaxDistanceM).
  static constexpr double kStopWithinM = 500;

  /// The first revision is larger than `first_revision`.
  explicit DriverPlan(std::uint64_t first_revision = 0) : stops_(first_revision) {}

  /// Updates the stops from the newest record of an open trip of this driver. A new trip is
  /// inserted at `placement`. Without one, the stops of riders who share are sorted by their
  /// promises, and other riders' stops come last.
  PlanChange Apply(const trip::v1::Trip& trip, const Placement* placement = nullptr);
  /// Repairs the order of stops: nobody gets in while the car is full, and a rider whose driver has
  /// arrived gets in first. The order may violate this after a crash, when it is restored from the
  /// promises alone, or if the driver makes stops in a different order. Returns whether the order
  /// changed, and with it the route.
  bool KeepToSeats(std::uint32_t seats);
  /// Removes the trip's stops.
  PlanChange Remove(const TripId& trip, v1::PlanCause cause);

  bool empty() const { return stops_.empty(); }
  bool Has(const TripId& trip) const { return stops_.Has(trip); }
  /// Whether the rider was picked up and not yet dropped off.
  bool IsAboard(const TripId& trip) const { return stops_.IsAboard(trip); }
  bool HasAnybodyAboard() const { return stops_.HasAnybodyAboard(); }
  /// State of a trip in the plan, according to its stops: ASSIGNED, ARRIVED or ABOARD.
  trip::v1::TripState StateOf(const TripId& trip) const { return stops_.StateOf(trip); }
  /// Minimum distance in metres between a car at this place and the point where it stops for the
  /// trip. That point is given by the route; without one it may be anywhere within kStopWithinM of
  /// the stop. nullopt if the plan has no such stop.
  std::optional<double> DistanceToStop(const TripId& trip, v1::StopKind kind, LatLng car) const;
  /// The trips in the order of their drop-offs.
  std::vector<TripId> Trips() const { return stops_.Trips(); }
  /// Number of seats for all trips, aboard or not.
  std::uint32_t SeatsTaken() const { return stops_.SeatsTaken(); }
  std::vector<LatLng> Places() const { return stops_.Places(); }
  /// Increases whenever the stops change.
  std::uint64_t revision() const { return stops_.revision(); }
  /// Converts an insertion, which counts the current stops, to a placement.
  Placement PlacementFor(const Insertion& insertion) const {
    return stops_.PlacementFor(insertion);
  }
  /// Returns the plan for a search for insertions, with deadlines `margin` before the promised
  /// times, starting where the car will be after `ahead`. nullopt while a rider doesn't share, the
  /// route isn't known, or the plan is full.
  std::optional<SharedCar> AsSharedCar(Duration ahead, std::uint32_t seats, const Dwell& dwell,
                                       Duration margin, Time now) const;
  /// Trips whose rider shares and whose driver hasn't arrived yet.
  std::vector<TripId> MovableTrips() const { return stops_.MovableTrips(); }
  /// Promised time of the trip's next stop; Time::max() without a promise.
  Time NextPromise(const TripId& trip) const { return stops_.NextPromise(trip); }
  /// Trips with a promise that, by current ETAs, won't be kept.
  std::vector<TripId> LateTrips(std::optional<LatLng> car, Time now) const;

  bool has_route() const { return route_.has_value(); }
  /// Start of the next route, which the driver receives within `ahead`: the point on the last
  /// pushed route that the car reaches by then, or the car's position if it isn't on that route.
  LatLng BeginRoute(LatLng car, Duration ahead);
  /// Sets the route, which was computed from that start through the current stops. Returns false,
  /// and leaves the plan without a route, if the route has a different number of stops.
  bool SetRoute(RouteFound::Way way);

  void MoveTo(LatLng car);
  /// Whether the car has left the route, see RouteProgress.
  bool HasLeftRoute() const { return route_ && progress_->has_left(); }
  /// Call after each MoveTo. Returns each stretch of the route once after the car has driven it,
  /// with the time that it took.
  std::optional<StreetsDriven> TimeDrive(Time now);
  /// Travel time from the car to the trip's next stop, the pick-up or the drop-off.
  Duration TimeTo(const TripId& trip, std::optional<LatLng> car) const;

  /// All further versions will be larger than this one.
  void ContinueFrom(std::uint64_t version);
  /// Returns the plan as a message with the next version. It includes the route if the driver
  /// hasn't received it, or if `whole` is set. A route's id is the version of the plan that first
  /// included it, so that ids are unique even after a crash.
  v1::Plan NextMessage(v1::PlanCause cause, bool whole, std::optional<LatLng> car, Time now);

 private:
  /// Call with each change of the stops and its effect on the route.
  void StopsChanged(RouteChange route);
  void DropRoute();
  /// The part of the route that the car drives within this time, at most to its next stop.
  Duration AheadOnWay(Duration ahead) const;
  /// Travel time from the car through the preceding stops. Without a route it is estimated from
  /// straight lines, and starts at the first stop if the car's position is unknown.
  std::vector<Duration> Etas(std::optional<LatLng> car) const;

  PlannedStops stops_;
  std::uint64_t version_ = 0;
  std::optional<common::v1::Route> route_;
  /// 0 until the route is pushed to the driver.
  std::uint64_t route_id_ = 0;
  /// Progress along the last route that was pushed. Kept when the route is dropped, since the
  /// driver follows it until the next one arrives.
  std::optional<RouteProgress> progress_;
  /// Position of the car's next stop on that route.
  Duration halts_at_{};
  /// The beginning of the next route.
  std::vector<RouteProgress::Point> lead_;
  DriveTimer drive_timer_;
};

}  // namespace ridestream::dispatch
