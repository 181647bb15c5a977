#include "services/trip/handlers/log_tail.h"

#include <algorithm>

namespace ridestream::trip {

void LogTail::Append(const Events& events) {
  MutexLock lock(mu_);
  events_.insert(events_.end(), events.begin(), events.end());
  while (events_.size() > max_events_) events_.pop_front();
}

std::optional<LogTail::Events> LogTail::Read(std::uint64_t after, size_t limit) const {
  MutexLock lock(mu_);
  if (events_.empty()) return std::nullopt;
  const std::uint64_t first = events_.front()->sequence();
  if (after + 1 < first) return std::nullopt;
  const std::uint64_t skipped = std::min<std::uint64_t>(after + 1 - first, events_.size());
  const auto begin = events_.begin() + static_cast<std::ptrdiff_t>(skipped);
  const auto left = static_cast<size_t>(events_.end() - begin);
  return Events(begin, begin + static_cast<std::ptrdiff_t>(std::min(left, limit)));
}

}  // namespace ridestream::trip
