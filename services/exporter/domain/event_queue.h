#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::exporter {

/// Events that were read from the log and haven't been written to the topic yet. Thread-safe.
class EventQueue {
 public:
  /// About 16 MB.
  static constexpr std::size_t kMaxEvents = 16'384;

  /// Returns false if the queue is full. The log must then be followed again later, from the same
  /// event.
  bool Add(trip::v1::TripEvent event);
  /// The log can't be followed, and retrying won't help; see failure().
  void Fail(absl::Status status);

  /// Waits at most `patience` for an event, then returns up to `max` of the oldest. They stay in
  /// the queue until Remove.
  std::vector<trip::v1::TripEvent> Front(std::size_t max, std::chrono::nanoseconds patience);
  /// Removes the oldest `count` events.
  void Remove(std::size_t count);
  /// Removes all events.
  void Clear();

  absl::Status failure() const;
  std::size_t size() const;
  /// When the oldest event happened.
  std::optional<Time> oldest() const;

 private:
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<trip::v1::TripEvent> events_ ABSL_GUARDED_BY(mu_);
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::exporter
