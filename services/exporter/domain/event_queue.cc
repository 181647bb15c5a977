#include "services/exporter/domain/event_queue.h"

#include <algorithm>
#include <utility>

#include "libs/base/invariant.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::exporter {

bool EventQueue::Add(trip::v1::TripEvent event) {
  MutexLock lock(mu_);
  if (events_.size() >= kMaxEvents) return false;
  events_.push_back(std::move(event));
  changed_.SignalAll();
  return true;
}

void EventQueue::Fail(absl::Status status) {
  MutexLock lock(mu_);
  failure_ = std::move(status);
  changed_.SignalAll();
}

std::vector<trip::v1::TripEvent> EventQueue::Front(std::size_t max,
                                                   std::chrono::nanoseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  MutexLock lock(mu_);
  while (events_.empty() && failure_.ok()) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    changed_.WaitFor(mu_, left);
  }
  const auto count = static_cast<std::ptrdiff_t>(std::min(max, events_.size()));
  return {events_.begin(), events_.begin() + count};
}

void EventQueue::Remove(std::size_t count) {
  MutexLock lock(mu_);
  if (!RIDESTREAM_INVARIANT(count <= events_.size(), "only events of the queue are removed")) {
    count = events_.size();
  }
  events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(count));
}

void EventQueue::Clear() {
  MutexLock lock(mu_);
  events_.clear();
}

absl::Status EventQueue::failure() const {
  MutexLock lock(mu_);
  return failure_;
}

std::size_t EventQueue::size() const {
  MutexLock lock(mu_);
  return events_.size();
}

std::optional<Time> EventQueue::oldest() const {
  MutexLock lock(mu_);
  if (events_.empty()) return std::nullopt;
  return FromProto(events_.front().at());
}

}  // namespace ridestream::exporter
