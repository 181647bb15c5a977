#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "libs/base/mutex.h"
#include "services/trip/domain/commands.h"

namespace ridestream::trip {

/// The newest events of the log in memory, so that followers who are up to date don't read from the
/// store. A follower may be ahead of the tail, with events that it read from the store before they
/// were published here. It gets no events until the tail has passed it. Thread-safe.
class LogTail {
 public:
  using Events = std::vector<EventPtr>;
  /// A few MB; some seconds of a busy log.
  static constexpr size_t kMaxEvents = 4096;

  explicit LogTail(size_t max_events = kMaxEvents) : max_events_(max_events) {}

  /// Appends the next events of the log, in order and without gaps.
  void Append(const Events& events);

  /// Returns up to `limit` events after `after`, possibly none. nullopt if the tail doesn't reach
  /// back that far; the caller must then ask the store.
  std::optional<Events> Read(std::uint64_t after, size_t limit) const;

 private:
  const size_t max_events_;
  mutable Mutex mu_;
  std::deque<EventPtr> events_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::trip
