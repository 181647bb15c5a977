#pragma once

#include <cstddef>
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

  void MoveTo(LatLng car);

  /// The travel time from the route's start to the car.
  Duration behind() const { return behind_; }
  /// How far beside the rest of the route the car was at the last MoveTo, in metres.
  double beside_m() const { return beside_m_; }

 private:
  struct Point {
    LatLng place;
    Duration from_start;
  };
  /// The place on the route nearest to the car, among some of its pieces.
  struct Match {
    double distance_m;
    std::size_t piece;
    Duration from_start;
  };

  /// Looks at the pieces from `first` on that begin before `until`, at least at one.
  Match Nearest(LatLng car, std::size_t first, Duration until) const;
  Match Project(LatLng car, std::size_t piece) const;

  std::vector<Point> points_;
  std::size_t piece_ = 0;
  Duration behind_{0};
  double beside_m_ = 0;
};

}  // namespace ridestream::dispatch
