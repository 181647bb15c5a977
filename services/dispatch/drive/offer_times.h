#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "libs/base/mutex.h"

namespace ridestream::dispatch {

/// Times of a market's offers from the decision to the driver's ack. Keeps the last 1,000.
/// Thread-safe; holds no other lock.
class OfferTimes {
 public:
  /// An offer is in the driver's hand in time if its ack comes within this, on the wall clock.
  static constexpr std::chrono::milliseconds kInTime{10};

  struct Summary {
    /// Number of times since the start.
    std::uint64_t acked = 0;
    /// How many of `acked` were at most kInTime.
    std::uint64_t in_time = 0;
    /// Quantiles of the kept times; 0 if there are none.
    std::chrono::nanoseconds p50{};
    std::chrono::nanoseconds p99{};
  };

  void Acked(std::chrono::nanoseconds took);
  Summary Summarize() const;

 private:
  static constexpr std::size_t kKept = 1'000;

  mutable Mutex mu_;
  std::uint64_t acked_ ABSL_GUARDED_BY(mu_) = 0;
  std::uint64_t in_time_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::chrono::nanoseconds> kept_ ABSL_GUARDED_BY(mu_);  // A ring once it is full.
};

}  // namespace ridestream::dispatch
