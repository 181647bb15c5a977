#include "libs/base/system_time.h"

#include <algorithm>

namespace ridestream {
namespace {

class MachineTime final : public TimeSource {
 public:
  SystemTime System() const override {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  }
  std::int64_t SteadyNs() const override {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
};

}  // namespace

const TimeSource& TimeSource::Machine() {
  static const MachineTime machine;
  return machine;
}

std::int64_t FollowedTime::Line::At(std::int64_t steady) const {
  // Another thread may have started the line after this one read the steady clock.
  const std::int64_t elapsed = std::max<std::int64_t>(0, steady - from);
  const std::int64_t on_line = std::min(elapsed, until - from);
  return time_at_from + static_cast<std::int64_t>(static_cast<double>(on_line) * speed) +
         (elapsed - on_line);
}

FollowedTime::FollowedTime(const TimeSource& source) : source_(source) {
  const std::int64_t steady = source.SteadyNs();
  MutexLock lock(mu_);
  Store({steady, steady + kCheckEvery.count(), source.System().time_since_epoch().count(), 1});
}

TimeSource::SystemTime FollowedTime::Now() const {
  const std::int64_t steady = source_.SteadyNs();
  Line line;
  if (!Load(line) || steady >= line.until) line = LineFor(steady);
  return TimeSource::SystemTime(std::chrono::nanoseconds(line.At(steady)));
}

bool FollowedTime::Load(Line& line) const {
  const std::uint32_t version = version_.load(std::memory_order_acquire);
  line = {from_.load(std::memory_order_acquire), until_.load(std::memory_order_acquire),
          time_at_from_.load(std::memory_order_acquire), speed_.load(std::memory_order_acquire)};
  return version % 2 == 0 && version == version_.load(std::memory_order_acquire);
}

void FollowedTime::Store(const Line& line) const {
  ++version_;
  from_.store(line.from, std::memory_order_release);
  until_.store(line.until, std::memory_order_release);
  time_at_from_.store(line.time_at_from, std::memory_order_release);
  speed_.store(line.speed, std::memory_order_release);
  ++version_;
}

FollowedTime::Line FollowedTime::LineFor(std::int64_t steady) const {
  MutexLock lock(mu_);
  Line line;
  (void)Load(line);  // No other thread replaces it meanwhile.
  if (steady < line.until) return line;
  line = Next(line, steady);
  Store(line);
  return line;
}

FollowedTime::Line FollowedTime::Next(const Line& ended, std::int64_t steady) const {
  const std::int64_t time = ended.At(steady);
  const std::int64_t behind = source_.System().time_since_epoch().count() - time;
  const std::int64_t until = steady + kCheckEvery.count();
  if (behind > kJump.count()) return {steady, until, time + behind, 1};
  const double speed = 1 + static_cast<double>(behind) / static_cast<double>(kCheckEvery.count());
  return {steady, until, time, std::clamp(speed, kSlowest, kFastest)};
}

}  // namespace ridestream
