#pragma once

#include <optional>
#include <utility>

#include "libs/base/clock.h"
#include "loadtest/driver/congestion.h"
#include "loadtest/driver/course.h"

namespace ridestream::loadtest {

/// A car on its course: it moves as time passes, up to the place where it must halt. Not
/// thread-safe.
class Car {
 public:
  Car(LatLng place, Time now, const Congestion& congestion = {})
      : congestion_(congestion), place_(place), moved_at_(now) {}

  /// Drives on for the time since the last call. Earlier times are ignored.
  void MoveTo(Time now);
  /// Starts driving `course`, up to its end. An empty course leaves the car where it is.
  void Drive(Course course, Time now);
  /// Halts the car at `ms` of the course; a value beyond its duration means its end.
  void HaltAt(std::int64_t ms) { halt_ms_ = ms; }

  LatLng place() const { return place_; }
  Course::Motion motion() const;
  const Course& course() const { return course_; }
  std::int64_t course_ms() const { return course_ms_; }
  /// Whether it stands at its halt or at the course's end.
  bool halted() const { return course_ms_ >= End(); }
  /// When the car will halt: exact without congestion, otherwise an estimate that improves as the
  /// car approaches.
  Time halts_at() const;

 private:
  std::int64_t End() const;

  const Congestion congestion_;
  Course course_;
  std::int64_t course_ms_ = 0;
  double course_rest_ms_ = 0;  // Driving time beyond whole milliseconds.
  std::int64_t halt_ms_ = 0;
  LatLng place_;
  Time moved_at_;
};

}  // namespace ridestream::loadtest
