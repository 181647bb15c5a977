#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "services/trip/storage/batch.h"

namespace ridestream::trip {

/// Publishes and answers the durable batches of a store that is the only writer of its log.
class LocalPublisher {
 public:
  /// `last_sequence`: last sequence of the log when the store was opened. `listener`: see
  /// TripStore.
  LocalPublisher(std::uint64_t last_sequence, TripStore::Listener listener)
      : listener_(std::move(listener)), last_sequence_(last_sequence) {}

  /// Publishes the events, then answers. Call in the order of the commits, for one batch at a time.
  void Publish(Batch batch) {
    const std::vector<EventPtr> events = TakeEvents(batch);
    if (!events.empty()) {
      last_sequence_.store(events.back()->sequence());
      if (listener_) listener_(events);
    }
    for (Work& work : batch) Complete(work);
  }
  /// Sequence of the last durable event. Thread-safe.
  std::uint64_t last_sequence() const { return last_sequence_.load(); }

 private:
  const TripStore::Listener listener_;
  std::atomic<std::uint64_t> last_sequence_;
};

}  // namespace ridestream::trip
