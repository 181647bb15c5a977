#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "ridestream/common/v1/common.pb.h"

namespace ridestream::loadtest {

/// The course of a car, as a polyline with the travel time of each leg. A position on it is given
/// by its travel time from the start, in milliseconds. An empty course has no positions.
class Course {
 public:
  Course() = default;
  /// `points` must not be empty, and there must be one leg less than points.
  Course(std::vector<LatLng> points, const std::vector<std::uint32_t>& leg_ms);

  /// INVALID_ARGUMENT if the lists' lengths don't match, or a point is invalid.
  static absl::StatusOr<Course> FromProto(const common::v1::Route& route);

  bool empty() const { return points_.empty(); }
  /// Total travel time.
  std::int64_t duration_ms() const { return at_ms_.empty() ? 0 : at_ms_.back(); }
  /// The place after `ms` of driving, clamped to the course. The course must not be empty.
  LatLng PlaceAt(std::int64_t ms) const;

  struct Motion {
    std::uint32_t heading_deg = 0;     ///< Clockwise from north, 0 to 359.
    std::uint32_t speed_dm_per_s = 0;  ///< Decimetres per second.
  };
  Motion MotionAt(std::int64_t ms) const;

  /// The position from `from_ms` to `to_ms` that is nearest to `place`. Each second of difference
  /// from `expected_ms` counts as a metre, which decides if a course passes a place twice.
  std::int64_t Nearest(LatLng place, std::int64_t from_ms, std::int64_t to_ms,
                       std::int64_t expected_ms) const;

  /// The rest of the course from `ms` on, with a leg from `here` to it, driven at 10 m/s: a car
  /// joins a course where it can, and doesn't jump. A position t becomes t - ms + `access_ms`.
  Course JoinedFrom(LatLng here, std::int64_t ms, std::int64_t& access_ms) const;

 private:
  size_t LegAt(std::int64_t ms) const;

  std::vector<LatLng> points_;
  std::vector<std::uint32_t> at_ms_;  // Travel time up to each point.
};

}  // namespace ridestream::loadtest
