#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"

namespace ridestream::rpc {

/// A rate limit for each of many callers: a token bucket per name, full at first. About 100 bytes
/// for each that did it within the last `burst / per_s` seconds, the others are forgotten.
/// Thread-safe.
class RateLimiter {
 public:
  using Wall = std::chrono::steady_clock;
  struct Options {
    /// On the average; 0 is no limit.
    double per_s = 0;
    /// At once.
    double burst = 1;
    /// Names that are remembered at a time; one more is refused.
    std::size_t max_names = 200'000;
  };

  explicit RateLimiter(const Options& options) : options_(options) {}

  /// nullopt when `name` may do it now, which is counted; else how long it should wait.
  std::optional<std::chrono::milliseconds> Take(const std::string& name, Wall::time_point now);

  /// Names remembered.
  std::size_t names() const;

 private:
  struct Bucket {
    double tokens = 0;
    Wall::time_point filled_at;
  };
  void Fill(Bucket& bucket, Wall::time_point now) const;
  void ForgetFull(Wall::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Bucket> buckets_ ABSL_GUARDED_BY(mu_);
  // Names at which it is time to look for those that can be forgotten: so each look is paid for by
  // as many new names.
  std::size_t sweep_at_ ABSL_GUARDED_BY(mu_) = 1'024;
};

}  // namespace ridestream::rpc
