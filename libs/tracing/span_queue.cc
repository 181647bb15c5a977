#include "libs/tracing/span_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ridestream::tracing {

std::size_t SpanQueue::Add(SpanData span) {
  MutexLock lock(mu_);
  if (spans_.size() < bound_) {
    spans_.push_back(std::move(span));
  } else {
    ++dropped_;
  }
  return spans_.size();
}

std::vector<SpanData> SpanQueue::Take(std::size_t max) {
  MutexLock lock(mu_);
  const auto end = spans_.begin() + static_cast<std::ptrdiff_t>(std::min(max, spans_.size()));
  std::vector<SpanData> taken(std::make_move_iterator(spans_.begin()),
                              std::make_move_iterator(end));
  spans_.erase(spans_.begin(), end);
  return taken;
}

std::size_t SpanQueue::size() const {
  MutexLock lock(mu_);
  return spans_.size();
}

std::uint64_t SpanQueue::dropped() const {
  MutexLock lock(mu_);
  return dropped_;
}

}  // namespace ridestream::tracing
