#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/tracing/span.h"

namespace ridestream::tracing {

/// Spans that wait to be exported, in the order in which they ended. A span that finds the queue
/// full is dropped and counted. Thread-safe.
class SpanQueue {
 public:
  explicit SpanQueue(std::size_t bound) : bound_(bound) {}

  /// Returns how many wait now.
  std::size_t Add(SpanData span);
  /// The oldest, at most `max`.
  std::vector<SpanData> Take(std::size_t max);

  std::size_t size() const;
  std::size_t bound() const { return bound_; }
  std::uint64_t dropped() const;

 private:
  const std::size_t bound_;
  mutable Mutex mu_;
  std::deque<SpanData> spans_ ABSL_GUARDED_BY(mu_);
  std::uint64_t dropped_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::tracing
