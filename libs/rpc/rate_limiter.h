#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"

namespace ridestream::rpc {

/// A rate limit for each of many callers: one token bucket per name, initially full. Takes about
/// 100 bytes for each name that was used within the last `burst / per_s` seconds; others are
/// forgotten. Thread-safe.
class RateLimiter {
 public:
  using Wall = std::chrono::steady_clock;
  struct Options {
    /// Average rate; 0 means no limit.
    double per_s = 0;
    /// Maximum number at once.
    double burst = 1;
    /// Maximum number of names remembered at a time; further names are refused.
    std::size_t max_names = 200'000;
  };

  explicit RateLimiter(const Options& options) : options_(options) {}

  /// Takes a token of `name` and returns nullopt; or, if there is none, returns how long to wait.
  std::optional<std::chrono::milliseconds> Take(const std::string& name, Wall::time_point now);

  /// Number of remembered names.
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
  // Number of names at which to look for names that can be forgotten. It grows with the table, so
  // each search is paid for by as many new names.
  std::size_t sweep_at_ ABSL_GUARDED_BY(mu_) = 1'024;
};

}  // namespace ridestream::rpc
