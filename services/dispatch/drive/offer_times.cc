#include "services/dispatch/drive/offer_times.h"

#include <algorithm>

namespace ridestream::dispatch {

void OfferTimes::Acked(std::chrono::nanoseconds took) {
  MutexLock lock(mu_);
  if (kept_.size() < kKept) {
    kept_.push_back(took);
  } else {
    kept_[acked_ % kKept] = took;
  }
  ++acked_;
  if (took <= kInTime) ++in_time_;
}

OfferTimes::Summary OfferTimes::Summarize() const {
  Summary summary;
  std::vector<std::chrono::nanoseconds> times;
  {
    MutexLock lock(mu_);
    summary.acked = acked_;
    summary.in_time = in_time_;
    times = kept_;
  }
  if (times.empty()) return summary;
  std::sort(times.begin(), times.end());
  const auto below = [&times](std::size_t percent) {
    return times[std::min(times.size() - 1, times.size() * percent / 100)];
  };
  summary.p50 = below(50);
  summary.p99 = below(99);
  return summary;
}

}  // namespace ridestream::dispatch
