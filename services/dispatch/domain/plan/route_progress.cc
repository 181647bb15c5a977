#include "services/dispatch/domain/plan/route_progress.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace ridestream::dispatch {
namespace {

/// How far ahead a car is searched for, in travel time: many reporting intervals.
constexpr Duration kLookAhead = std::chrono::minutes(1);
/// A car within this distance is on the route. Between high buildings GPS is off by some tens of
/// metres.
constexpr double kOnRouteM = 100;
/// A car that is repeatedly farther than this has left the route.
constexpr double kCorridorM = 40;
/// Farther than a car drives between two positions, and twice the maximum distance between a car
/// and its street, so that a car never leaves a new route immediately.
constexpr double kJumpM = 1'000;

constexpr double kMetresPerE7 = kEarthRadiusM * std::numbers::pi / 180.0 / 1e7;

}  // namespace

RouteProgress::RouteProgress(const common::v1::Route& route) {
  const int size = std::min(route.lat_e7_size(), route.lng_e7_size());
  LatLng place;
  Duration from_start{0};
  for (int i = 0; i < size; ++i) {
    place.lat_e7 += route.lat_e7(i);
    place.lng_e7 = WrapLngE7(std::int64_t{place.lng_e7} + route.lng_e7(i));
    if (i > 0) {
      if (i > route.piece_ms_size()) break;
      from_start += std::chrono::milliseconds(route.piece_ms(i - 1));
    }
    points_.push_back({place, from_start});
  }
  // A segment without length, if there is nothing to drive.
  if (points_.size() == 1) points_.push_back(points_.front());
}

void RouteProgress::MoveTo(LatLng car, Duration next_stop) {
  if (points_.size() < 2) return;
  Match match = Nearest(car, piece_, behind_ + kLookAhead);
  if (match.distance_m > kOnRouteM) {
    // After a silence the car may be much further on.
    const Match anywhere = Nearest(car, piece_, Duration::max());
    if (anywhere.distance_m <= kOnRouteM) match = anywhere;
  }
  JudgeDeparture(car, match.distance_m);
  if (match.from_start > next_stop) {
    match = Nearest(car, piece_, next_stop);
    match.from_start = std::min(match.from_start, next_stop);
  }
  if (match.from_start < behind_) return;
  piece_ = match.piece;
  behind_ = match.from_start;
}

void RouteProgress::JudgeDeparture(LatLng car, double beside_m) {
  const LatLng thought = seen_ ? last_seen_ : points_.front().place;
  if (!seen_) first_seen_ = car;
  seen_ = true;
  last_seen_ = car;
  if (FastDistanceM(thought, car) > kJumpM) {
    away_ = kAwayNeverEntered;
  } else if (beside_m <= kCorridorM || IsOnWayBehind(car)) {
    entered_ = true;
    away_ = 0;
  } else if (entered_ || FastDistanceM(first_seen_, car) > kCorridorM) {
    ++away_;
  }
}

std::span<const RouteProgress::Point> RouteProgress::PointsBetween(Duration from,
                                                                   Duration to) const {
  const auto first =
      std::lower_bound(points_.begin(), points_.end(), from,
                       [](const Point& point, Duration start) { return point.from_start < start; });
  const auto end =
      std::upper_bound(first, points_.end(), to,
                       [](Duration last, const Point& point) { return last < point.from_start; });
  return {first, end};
}

std::vector<RouteProgress::Point> RouteProgress::PointsAhead(Duration ahead) const {
  std::vector<Point> way;
  if (points_.empty()) return way;
  const Point end = At(behind_ + ahead);
  way.push_back(At(behind_));
  for (const Point& point : PointsBetween(behind_, end.from_start)) {
    if (point.from_start > behind_ && point.from_start < end.from_start) way.push_back(point);
  }
  if (end.from_start > behind_) way.push_back(end);
  return way;
}

RouteProgress::Point RouteProgress::At(Duration from_start) const {
  const auto next =
      std::upper_bound(points_.begin(), points_.end(), from_start,
                       [](Duration at, const Point& point) { return at < point.from_start; });
  if (next == points_.begin()) return points_.front();
  if (next == points_.end()) return points_.back();
  const Point& last = *(next - 1);
  const double fraction = std::chrono::duration<double>(from_start - last.from_start) /
                          std::chrono::duration<double>(next->from_start - last.from_start);
  return {Interpolate(last.place, next->place, fraction), from_start};
}

RouteProgress::Match RouteProgress::Nearest(LatLng car, std::size_t first, Duration until) const {
  Match nearest = Project(car, first);
  for (std::size_t piece = first + 1;
       piece + 1 < points_.size() && points_[piece].from_start < until; ++piece) {
    const Match match = Project(car, piece);
    if (match.distance_m < nearest.distance_m) nearest = match;
  }
  return nearest;
}

bool RouteProgress::IsOnWayBehind(LatLng car) const {
  for (std::size_t piece = piece_ + 1; piece-- > 0;) {
    if (Project(car, piece).distance_m <= kCorridorM) return true;
    if (points_[piece].from_start < behind_ - kLookAhead) return false;
  }
  return false;
}

RouteProgress::Match RouteProgress::Project(LatLng car, std::size_t piece) const {
  const Point& from = points_[piece];
  const Point& to = points_[piece + 1];
  // A flat projection around the segment's start is accurate enough, since segments are short.
  const double east_m = kMetresPerE7 * std::cos(from.place.lat() * std::numbers::pi / 180.0);
  const double piece_x = EastE7(from.place, to.place) * east_m;
  const double piece_y = (double{1} * to.place.lat_e7 - from.place.lat_e7) * kMetresPerE7;
  const double car_x = EastE7(from.place, car) * east_m;
  const double car_y = (double{1} * car.lat_e7 - from.place.lat_e7) * kMetresPerE7;

  const double length2 = piece_x * piece_x + piece_y * piece_y;
  const double fraction =
      length2 == 0 ? 0 : std::clamp((car_x * piece_x + car_y * piece_y) / length2, 0.0, 1.0);
  const double distance_m = std::hypot(car_x - fraction * piece_x, car_y - fraction * piece_y);
  const auto time = static_cast<double>((to.from_start - from.from_start).count()) * fraction;
  return {distance_m, piece, from.from_start + Duration(std::llround(time))};
}

}  // namespace ridestream::dispatch
