#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "ridestream/common/v1/common.pb.h"

namespace ridestream::dispatch {

/// Follows a car along its route: how much of the route's travel time lies behind it. It only goes
/// forward, and looks for the car not far ahead, so that neither a position's noise nor a route
/// that crosses itself throws it off. Not thread-safe.
class RouteProgress {
 public:
  /// A car at the start of the route. Lists of unequal length are read as far as all of them go.
  explicit RouteProgress(const common::v1::Route& route);

  /// `next_stop` is the travel time from the route's start to the next stop that the car has to
  /// make. It isn't beyond it, however near to it the way on comes back.
  void MoveTo(LatLng car, Duration next_stop = Duration::max());

  /// Whether the car drives somewhere else: it was on the route, and then was more than 40 m from
  /// it, where it could be by now, at two positions one after the other. GPS that is off by some
  /// 10 m isn't off by 40 m twice. A car that hasn't come to the route yet, as from a parking
  /// place, gets five positions, and all the time it wants where it stands.
  ///
  /// At once if it isn't where it was thought to be, by a kilometre: then the route may have been
  /// made from the wrong place, even if it leads through the right one.
  bool has_left() const { return away_ >= (entered_ ? kAwayTwice : kAwayNeverEntered); }

  /// The travel time from the route's start to the car.
  Duration behind() const { return behind_; }

  struct Point {
    LatLng place;
    Duration from_start;
  };
  /// The car's position after driving the route for this long. A route must exist.
  Point At(Duration from_start) const;
  /// The route's points at which a car is from `from` to `to`, of the travel time from its start.
  std::span<const Point> PointsBetween(Duration from, Duration to) const;
  /// The route from the car to its position after driving on for this long.
  std::vector<Point> PointsAhead(Duration ahead) const;

 private:
  static constexpr int kAwayTwice = 2;
  static constexpr int kAwayNeverEntered = 5;

  /// The place on the route nearest to the car, among some of its pieces.
  struct Match {
    double distance_m;
    std::size_t piece;
    Duration from_start;
  };

  /// Looks at the pieces from `first` on that begin before `until`, at least at one.
  Match Nearest(LatLng car, std::size_t first, Duration until) const;
  Match Project(LatLng car, std::size_t piece) const;
  void JudgeDeparture(LatLng car, double beside_m);
  /// Whether the car is in the corridor of the pieces shortly behind it: where a route comes back
  /// the way it went, a position's noise may have taken the car ahead of itself.
  bool IsOnWayBehind(LatLng car) const;

  std::vector<Point> points_;
  std::size_t piece_ = 0;
  Duration behind_{0};
  LatLng first_seen_;
  LatLng last_seen_;
  bool seen_ = false;
  bool entered_ = false;
  int away_ = 0;  // positions outside the corridor since the last one inside
};

}  // namespace ridestream::dispatch
