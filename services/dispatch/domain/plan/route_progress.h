#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "ridestream/common/v1/common.pb.h"

namespace ridestream::dispatch {

/// Tracks a car along its route: how much of the route's travel time it has completed. The progress
/// never decreases, and the car is only searched for a short distance ahead, so that neither noisy
/// positions nor a route that crosses itself mislead it. Not thread-safe.
class RouteProgress {
 public:
  /// A car at the start of the route. If the lists have unequal lengths, the shortest counts.
  explicit RouteProgress(const common::v1::Route& route);

  /// Takes a position of the car. `next_stop` is the travel time from the route's start to the
  /// car's next stop. The progress doesn't pass it, even where the route beyond comes near the car.
  void MoveTo(LatLng car, Duration next_stop = Duration::max());

  /// Whether the car has left the route: after being on it, the car was more than 40 m from the
  /// part that it could have reached, at two consecutive positions. GPS with an error of some 10 m
  /// isn't off by 40 m twice. A car that hasn't reached the route yet, for example from a parking
  /// place, gets five positions, and unlimited time while it stands.
  /// True at once if the car is a kilometre from where it was assumed to be: the route may then
  /// have been computed from the wrong place, even if it passes the right one.
  bool has_left() const { return away_ >= (entered_ ? kAwayTwice : kAwayNeverEntered); }

  /// Travel time from the route's start to the car.
  Duration behind() const { return behind_; }

  struct Point {
    LatLng place;
    Duration from_start;
  };
  /// The car's position after driving the route for this long. A route must exist.
  Point At(Duration from_start) const;
  /// Returns the points of the route between `from` and `to`, both travel times from its start.
  std::span<const Point> PointsBetween(Duration from, Duration to) const;
  /// Returns the route from the car to its position after driving on for this long.
  std::vector<Point> PointsAhead(Duration ahead) const;

 private:
  static constexpr int kAwayTwice = 2;
  static constexpr int kAwayNeverEntered = 5;

  /// The place nearest to the car on some segments of the route.
  struct Match {
    double distance_m;
    std::size_t piece;
    Duration from_start;
  };

  /// Searches the segments from `first` on that begin before `until`, at least one.
  Match Nearest(LatLng car, std::size_t first, Duration until) const;
  Match Project(LatLng car, std::size_t piece) const;
  void JudgeDeparture(LatLng car, double beside_m);
  /// Whether the car is in the corridor of the segments shortly behind it. Where a route returns
  /// the way it came, a noisy position may have advanced the car too far.
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
