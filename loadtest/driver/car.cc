#include "loadtest/driver/car.h"

#include <algorithm>
#include <limits>

namespace ridestream::loadtest {

std::int64_t Car::End() const {
  return std::max(course_ms_, std::min(halt_ms_, course_.duration_ms()));
}

void Car::MoveTo(Time now) {
  if (now <= moved_at_) return;
  const auto passed = std::chrono::floor<std::chrono::milliseconds>(now - moved_at_);
  // The rest of a millisecond is left for the next time.
  moved_at_ += passed;
  course_ms_ = std::min<std::int64_t>(course_ms_ + passed.count(), End());
  if (!course_.empty()) place_ = course_.PlaceAt(course_ms_);
}

void Car::Drive(Course course, Time now) {
  MoveTo(now);
  course_ = std::move(course);
  course_ms_ = 0;
  halt_ms_ = std::numeric_limits<std::int64_t>::max();
}

Course::Motion Car::motion() const {
  if (!halted()) return course_.MotionAt(course_ms_);
  // Standing, it looks where it drove.
  Course::Motion motion = course_.MotionAt(std::max<std::int64_t>(0, course_ms_ - 1));
  motion.speed_dm_per_s = 0;
  return motion;
}

}  // namespace ridestream::loadtest
