#include "libs/rpc/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace ridestream::rpc {

void RateLimiter::Fill(Bucket& bucket, Wall::time_point now) const {
  const std::chrono::duration<double> passed = now - bucket.filled_at;
  // Callers read the clock before the lock, so a time may be a little older than the last one.
  if (passed.count() <= 0) return;
  bucket.tokens = std::min(options_.burst, bucket.tokens + passed.count() * options_.per_s);
  bucket.filled_at = now;
}

void RateLimiter::ForgetFull(Wall::time_point now) {
  absl::erase_if(buckets_, [&](auto& entry) {
    Fill(entry.second, now);
    return entry.second.tokens >= options_.burst;
  });
  sweep_at_ = std::max<std::size_t>(1'024, 2 * buckets_.size());
}

std::optional<std::chrono::milliseconds> RateLimiter::Take(const std::string& name,
                                                           Wall::time_point now) {
  if (options_.per_s <= 0) return std::nullopt;
  MutexLock lock(mu_);
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    const std::size_t bound = std::min(sweep_at_, options_.max_names);
    if (buckets_.size() >= bound) ForgetFull(now);
    if (buckets_.size() >= options_.max_names) return std::chrono::seconds(1);
    found = buckets_.emplace(name, Bucket{options_.burst, now}).first;
  }
  Bucket& bucket = found->second;
  Fill(bucket, now);
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  const double wait_s = (1 - bucket.tokens) / options_.per_s;
  return std::chrono::milliseconds(std::llround(std::ceil(wait_s * 1e3)));
}

std::size_t RateLimiter::names() const {
  MutexLock lock(mu_);
  return buckets_.size();
}

}  // namespace ridestream::rpc
