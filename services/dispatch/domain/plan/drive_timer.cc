#include "services/dispatch/domain/plan/drive_timer.h"

namespace ridestream::dispatch {

std::optional<DriveTimer::Stretch> DriveTimer::Moved(Duration behind, Time now) {
  if (last_ && now - last_->at > kGap) Restart();
  std::optional<Stretch> stretch;
  const Mark mark{behind, now};
  if (last_ && behind > last_->behind) {
    if (!start_) {
      start_ = mark;
    } else if (last_->behind - start_->behind >= kStretch) {
      stretch = Stretch{start_->behind, last_->behind, last_->at - start_->at};
      start_ = last_;
    }
  }
  if (start_ && now - start_->at > kLongest) start_.reset();
  last_ = mark;
  return stretch;
}

}  // namespace ridestream::dispatch
