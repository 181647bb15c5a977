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

/// What one driver is to do: the stops in the order of driving, the route through them if it is
/// known, and how far along it the car is. Holds any number of trips. Knows nothing of sessions and
/// requests. Not thread-safe.
class DriverPlan {
 public:
  /// How far from a rider's place the street is at most on which the car stops, in metres: no
  /// quote is given beyond (roads::Snapper::kMaxDistanceM).
  static constexpr double kStopWithinM = 500;

  /// Revisions begin after `first_revision`.
  explicit DriverPlan(std::uint64_t first_revision = 0) : stops_(first_revision) {}

  /// Brings the stops in line with the newest record of a trip that is this driver's and hasn't
  /// ended. A trip that is new here comes where `placement` says; without one the stops of riders
  /// who share are in the order of their promises, and other riders' come last.
  PlanChange Apply(const trip::v1::Trip& trip, const Placement* placement = nullptr);
  /// Where more would be aboard than there are seats, others get out before they get in; and who
  /// stands at the car gets in first. An order that was made from the promises alone, after a
  /// crash, knows neither, and a driver may make stops in an order of its own. True, and another
  /// route is needed, if the order wasn't such.
  bool KeepToSeats(std::uint32_t seats);
  /// Removes all stops of the trip.
  PlanChange Remove(const TripId& trip, v1::PlanCause cause);

  bool empty() const { return stops_.empty(); }
  bool Has(const TripId& trip) const { return stops_.Has(trip); }
  /// The rider was picked up, the drop-off is still to come.
  bool IsAboard(const TripId& trip) const { return stops_.IsAboard(trip); }
  bool HasAnybodyAboard() const { return stops_.HasAnybodyAboard(); }
  /// ASSIGNED, ARRIVED or ABOARD, as the stops tell of a trip that the plan has.
  trip::v1::TripState StateOf(const TripId& trip) const { return stops_.StateOf(trip); }
  /// How far a car there is at least from where it stops for the trip, in metres: that is by its
  /// route, or else anywhere within kStopWithinM of the stop. Nothing if the plan has no such stop.
  std::optional<double> DistanceToStop(const TripId& trip, v1::StopKind kind, LatLng car) const;
  /// In the order of their drop-offs.
  std::vector<TripId> Trips() const { return stops_.Trips(); }
  /// Seats of all trips, whether aboard already or not.
  std::uint32_t SeatsTaken() const { return stops_.SeatsTaken(); }
  std::vector<LatLng> Places() const { return stops_.Places(); }
  /// Grows whenever the stops change.
  std::uint64_t revision() const { return stops_.revision(); }
  /// Placed behind that many stops, and that many of the stops as they are now.
  Placement PlacementFor(const Insertion& insertion) const {
    return stops_.PlacementFor(insertion);
  }
  /// The plan for who looks for insertions, `margin` before what was promised, into the way behind
  /// what the car drives within `ahead`. Nothing while a rider doesn't share, the route isn't
  /// known, or the plan is full.
  std::optional<SharedCar> AsSharedCar(Duration ahead, std::uint32_t seats, const Dwell& dwell,
                                       Duration margin, Time now) const;
  /// Trips whose rider shares and whose driver isn't there yet.
  std::vector<TripId> MovableTrips() const { return stops_.MovableTrips(); }
  /// By when the trip's next stop that wasn't made is to be made, as promised; Time::max() where
  /// nothing was.
  Time NextPromise(const TripId& trip) const { return stops_.NextPromise(trip); }
  /// Trips of which, as it looks, not all promises will be kept.
  std::vector<TripId> LateTrips(std::optional<LatLng> car, Time now) const;

  bool has_route() const { return route_.has_value(); }
  /// From where the next route is to be found, by a driver who gets it within `ahead`: there on
  /// the route that was pushed last, or at the car if it isn't on that route.
  LatLng BeginRoute(LatLng car, Duration ahead);
  /// Takes the route that was found from there through the stops as they are. False, and no route,
  /// if it was made for another number of stops.
  bool SetRoute(RouteFound::Way way);

  void MoveTo(LatLng car);
  /// The car drives somewhere else than along the route, see RouteProgress.
  bool HasLeftRoute() const { return route_ && progress_->has_left(); }
  /// To be called after each MoveTo: what the car has driven of its route by now and how long that
  /// took, once for each stretch of it.
  std::optional<StreetsDriven> TimeDrive(Time now);
  /// Travel time from the car to the next stop of the trip, the pick-up or then the drop-off.
  Duration TimeTo(const TripId& trip, std::optional<LatLng> car) const;

  /// Versions from now on are larger than this one as well.
  void ContinueFrom(std::uint64_t version);
  /// The plan as a message, under the next version. The route itself goes with it if the driver
  /// hasn't been told it, or if the plan is told `whole`. A route's id is the version of the plan
  /// that brought it, so that it is never another's, not even after a crash.
  v1::Plan Tell(v1::PlanCause cause, bool whole, std::optional<LatLng> car, Time now);

 private:
  /// To be called with each change of the stops, and what it means for the route.
  void StopsChanged(RouteChange route);
  void DropRoute();
  /// The part of the route that the car drives within that time, at most to its next stop.
  Duration AheadOnWay(Duration ahead) const;
  /// From the car, through the stops before. Without a route guessed in straight lines, and from
  /// the first stop when it isn't known where the car is.
  std::vector<Duration> Etas(std::optional<LatLng> car) const;

  PlannedStops stops_;
  std::uint64_t version_ = 0;
  std::optional<common::v1::Route> route_;
  /// 0 until the route was pushed to the driver.
  std::uint64_t route_id_ = 0;
  /// Along the way that the driver was told last: still there when the route is dropped, for the
  /// driver drives on until the next one comes.
  std::optional<RouteProgress> progress_;
  /// Where on that way the car makes its next stop.
  Duration halts_at_{};
  /// What the next route begins with.
  std::vector<RouteProgress::Point> lead_;
  DriveTimer drive_timer_;
};

}  // namespace ridestream::dispatch
