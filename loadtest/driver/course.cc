#include "loadtest/driver/course.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ridestream::loadtest {
namespace {

constexpr double kAccessSpeedMPerS = 10;

// The fraction of the leg from `a` to `b` at which it is nearest to `place`, in a plane.
double Project(LatLng a, LatLng b, LatLng place) {
  const double shrink = std::cos(a.lat() * std::numbers::pi / 180);
  const double bx = EastE7(a, b) / 1e7 * shrink, by = b.lat() - a.lat();
  const double px = EastE7(a, place) / 1e7 * shrink, py = place.lat() - a.lat();
  const double square = bx * bx + by * by;
  return square == 0 ? 0 : std::clamp((bx * px + by * py) / square, 0.0, 1.0);
}

}  // namespace

Course::Course(std::vector<LatLng> points, const std::vector<std::uint32_t>& leg_ms)
    : points_(std::move(points)) {
  at_ms_.reserve(points_.size());
  std::uint32_t at = 0;
  at_ms_.push_back(at);
  for (const std::uint32_t ms : leg_ms) at_ms_.push_back(at += ms);
}

absl::StatusOr<Course> Course::FromProto(const common::v1::Route& route) {
  const int size = route.lat_e7_size();
  if (size < 1 || route.lng_e7_size() != size || route.piece_ms_size() != size - 1) {
    return absl::InvalidArgumentError(
        fmt::format("route: has {} latitudes, {} longitudes and {} pieces", size,
                    route.lng_e7_size(), route.piece_ms_size()));
  }
  std::vector<LatLng> points;
  points.reserve(static_cast<size_t>(size));
  std::int64_t lat = 0, lng = 0;
  for (int i = 0; i < size; ++i) {
    lat += route.lat_e7(i);
    lng = WrapLngE7(lng + route.lng_e7(i));
    const LatLng point{static_cast<std::int32_t>(lat), static_cast<std::int32_t>(lng)};
    if (lat != point.lat_e7 || !point.IsValid()) {
      return absl::InvalidArgumentError(fmt::format("route: point {} is not on the earth", i));
    }
    points.push_back(point);
  }
  return Course(std::move(points), {route.piece_ms().begin(), route.piece_ms().end()});
}

size_t Course::LegAt(std::int64_t ms) const {
  const auto after = std::upper_bound(at_ms_.begin(), at_ms_.end(), ms);
  const auto index = static_cast<size_t>(after - at_ms_.begin());
  return std::clamp<size_t>(index, 1, std::max<size_t>(points_.size(), 2) - 1) - 1;
}

LatLng Course::PlaceAt(std::int64_t ms) const {
  if (points_.size() == 1 || ms <= 0) return points_.front();
  if (ms >= duration_ms()) return points_.back();
  const size_t leg = LegAt(ms);
  const double whole = at_ms_[leg + 1] - at_ms_[leg];
  return Interpolate(points_[leg], points_[leg + 1],
                     whole == 0 ? 0 : static_cast<double>(ms - at_ms_[leg]) / whole);
}

Course::Motion Course::MotionAt(std::int64_t ms) const {
  if (points_.size() < 2 || ms >= duration_ms()) return {};
  const size_t leg = LegAt(ms);
  const LatLng a = points_[leg], b = points_[leg + 1];
  const double shrink = std::cos(a.lat() * std::numbers::pi / 180);
  const double degrees =
      std::atan2(EastE7(a, b) / 1e7 * shrink, b.lat() - a.lat()) * 180 / std::numbers::pi;
  const double leg_s = std::max(1U, at_ms_[leg + 1] - at_ms_[leg]) / 1000.0;
  return {static_cast<std::uint32_t>(std::lround(degrees + 360)) % 360,
          static_cast<std::uint32_t>(std::lround(FastDistanceM(a, b) * 10 / leg_s))};
}

std::int64_t Course::Nearest(LatLng place, std::int64_t from_ms, std::int64_t to_ms,
                             std::int64_t expected_ms) const {
  std::int64_t best_ms = from_ms;
  double best = std::numeric_limits<double>::infinity();
  for (size_t leg = 0; leg + 1 < points_.size(); ++leg) {
    if (at_ms_[leg + 1] < from_ms) continue;
    if (at_ms_[leg] > to_ms) break;
    const double fraction = Project(points_[leg], points_[leg + 1], place);
    const std::int64_t along = std::llround(fraction * (at_ms_[leg + 1] - at_ms_[leg]));
    const std::int64_t at = std::clamp(at_ms_[leg] + along, from_ms, to_ms);
    const double score =
        FastDistanceM(PlaceAt(at), place) + static_cast<double>(std::abs(at - expected_ms)) / 1000;
    if (score < best) {
      best = score;
      best_ms = at;
    }
  }
  return best_ms;
}

Course Course::JoinedFrom(LatLng here, std::int64_t ms, std::int64_t& access_ms) const {
  const LatLng join = PlaceAt(ms);
  access_ms = std::llround(FastDistanceM(here, join) / kAccessSpeedMPerS * 1000);
  std::vector<LatLng> points{here, join};
  std::vector<std::uint32_t> leg_ms{static_cast<std::uint32_t>(access_ms)};
  std::int64_t at = ms;
  for (size_t i = 0; i < points_.size(); ++i) {
    if (at_ms_[i] <= ms) continue;
    points.push_back(points_[i]);
    leg_ms.push_back(static_cast<std::uint32_t>(at_ms_[i] - at));
    at = at_ms_[i];
  }
  return Course(std::move(points), leg_ms);
}

}  // namespace ridestream::loadtest
