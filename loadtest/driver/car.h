#pragma once

#include <optional>
#include <utility>

#include "libs/base/clock.h"
#include "loadtest/driver/congestion.h"
#include "loadtest/driver/course.h"

namespace ridestream::loadtest {

/// A car on its course: time goes by and it moves, up to where it is to halt. Not thread-safe.
class Car {
 public:
  Car(LatLng place, Time now, const Congestion& congestion = {})
      : congestion_(congestion), place_(place), moved_at_(now) {}

  /// Drives on for the time since the last call. Earlier times are ignored.
  void MoveTo(Time now);
  /// Drives `course` from now on, up to its end. An empty one leaves the car where it is.
  void Drive(Course course, Time now);
  /// Doesn't drive beyond `ms` of the course; more than its duration means its end.
  void HaltAt(std::int64_t ms) { halt_ms_ = ms; }

  LatLng place() const { return place_; }
  Course::Motion motion() const;
  const Course& course() const { return course_; }
  std::int64_t course_ms() const { return course_ms_; }
  /// Whether it stands at its halt or at the course's end.
  bool halted() const { return course_ms_ >= End(); }
  /// When it will be there; exact where nothing is congested, and otherwise the more so the nearer
  /// it is.
  Time halts_at() const;

 private:
  std::int64_t End() const;

  const Congestion congestion_;
  Course course_;
  std::int64_t course_ms_ = 0;
  double course_rest_ms_ = 0;  // What it drove beyond whole milliseconds.
  std::int64_t halt_ms_ = 0;
  LatLng place_;
  Time moved_at_;
};

}  // namespace ridestream::loadtest
