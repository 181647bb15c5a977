#include "loadtest/driver/car.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ridestream::loadtest {

std::int64_t Car::End() const {
  return std::max(course_ms_, std::min(halt_ms_, course_.duration_ms()));
}

void Car::MoveTo(Time now) {
  using std::chrono::milliseconds;
  // The fraction of a millisecond is kept for the next call.
  while (now - moved_at_ >= milliseconds(1)) {
    const auto passed = std::chrono::floor<milliseconds>(now - moved_at_);
    // The slowness may be different a second later on the course.
    const auto step = halted() ? passed : std::min<milliseconds>(passed, std::chrono::seconds(1));
    moved_at_ += step;
    if (halted()) break;
    const double driven =
        course_rest_ms_ + static_cast<double>(step.count()) / congestion_.SlownessAt(place_);
    course_rest_ms_ = driven - std::floor(driven);
    course_ms_ = std::min(course_ms_ + static_cast<std::int64_t>(driven), End());
    place_ = course_.PlaceAt(course_ms_);
  }
  if (!course_.empty()) place_ = course_.PlaceAt(course_ms_);
}

void Car::Drive(Course course, Time now) {
  MoveTo(now);
  course_ = std::move(course);
  course_ms_ = 0;
  course_rest_ms_ = 0;
  halt_ms_ = std::numeric_limits<std::int64_t>::max();
}

Time Car::halts_at() const {
  if (halted()) return moved_at_;
  const double left_ms = static_cast<double>(End() - course_ms_) - course_rest_ms_;
  const double slowness = congestion_.SlownessAt(course_.PlaceAt(End()));
  return moved_at_ + std::chrono::milliseconds(std::llround(std::ceil(left_ms * slowness)));
}

Course::Motion Car::motion() const {
  if (!halted()) {
    Course::Motion motion = course_.MotionAt(course_ms_);
    motion.speed_dm_per_s = static_cast<std::uint32_t>(
        std::lround(motion.speed_dm_per_s / congestion_.SlownessAt(place_)));
    return motion;
  }
  // While it stands, the car faces its last direction of driving.
  Course::Motion motion = course_.MotionAt(std::max<std::int64_t>(0, course_ms_ - 1));
  motion.speed_dm_per_s = 0;
  return motion;
}

}  // namespace ridestream::loadtest
