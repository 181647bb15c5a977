#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "loadtest/report/histogram.h"

namespace ridestream::loadtest {

/// Durations in microseconds from many threads: a few histograms with a lock each, which are merged
/// on demand. Thread-safe.
class LatencyRecorder {
 public:
  void Add(Duration latency) {
    Shard& shard = shards_[std::hash<std::thread::id>()(std::this_thread::get_id()) % kShards];
    MutexLock lock(shard.mu);
    shard.histogram.Add(latency.count());
  }
  Histogram Merged() const {
    Histogram merged;
    for (const Shard& shard : shards_) {
      MutexLock lock(shard.mu);
      merged.Merge(shard.histogram);
    }
    return merged;
  }

 private:
  static constexpr size_t kShards = 4;
  struct Shard {
    mutable Mutex mu;
    Histogram histogram ABSL_GUARDED_BY(mu);
  };
  std::array<Shard, kShards> shards_;
};

/// A number and its maximum so far. Thread-safe.
class Gauge {
 public:
  void Up() {
    const std::int64_t now = ++value_;
    std::int64_t peak = peak_;
    while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
    }
  }
  void Down() { --value_; }
  std::int64_t value() const { return value_; }
  std::int64_t peak() const { return peak_; }

 private:
  std::atomic<std::int64_t> value_{0};
  std::atomic<std::int64_t> peak_{0};
};

/// The counters of a running simulated city. Each number is independent and may be read at any
/// time. Thread-safe.
struct Tally {
  using Counter = std::atomic<std::uint64_t>;

  // Riders. A request is counted when it is due, and then once more as what became of it.
  Counter requested{0};
  Counter completed{0};
  Counter cancelled{0};
  Counter unserved{0};
  /// The quote or the request was refused for good, e.g. because a place is off the streets.
  Counter refused{0};
  /// No final answer within the time that riders wait for one.
  Counter unanswered{0};
  /// Calls that were repeated because the service was unavailable or no answer came in time.
  Counter calls_retried{0};
  Counter destination_changes{0};
  /// Open trips by trip::v1::TripState, as riders see them.
  std::array<std::atomic<std::int64_t>, 8> trips_by_state{};

  // Drivers.
  /// Includes those that were being written when a stream broke, since they may have arrived.
  Counter positions_sent{0};
  /// Positions of our drivers, as IndexWatcher counts them.
  Counter positions_indexed{0};
  Counter offers{0};
  Counter plans{0};
  Gauge streams;
  Counter streams_resumed{0};
  /// Welcomes to a driver that had a session before and got a new one.
  Counter sessions_lost{0};
  /// Drivers whose cars somebody outside the load generator has taken over.
  Counter drivers_taken_over{0};

  // Wall time.
  LatencyRecorder request_to_offer;
  LatencyRecorder offer_push;
  LatencyRecorder plan_push;
  /// From when a stream with a session ended, other than by its driver, until the driver had a
  /// session again.
  LatencyRecorder reconnect;
  // City time.
  LatencyRecorder wait;
};

}  // namespace ridestream::loadtest
