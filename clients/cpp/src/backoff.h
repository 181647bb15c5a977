#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace ridestream::client {

/// Pauses before a next try: random up to 0.5 s, doubled after each failure up to 8 s. Where the
/// service names a pause, that pause plus a random part of up to a quarter of it.
class Backoff {
 public:
  explicit Backoff(std::uint64_t seed) : random_(seed) {}

  std::chrono::nanoseconds Next(std::optional<std::chrono::nanoseconds> asked);
  void Reset() { limit_ = {}; }
  /// The last pause that the service didn't name was at most this long.
  std::chrono::nanoseconds limit() const { return limit_; }

 private:
  std::chrono::nanoseconds UpTo(std::chrono::nanoseconds limit);

  std::mt19937_64 random_;
  std::chrono::nanoseconds limit_{};
};

}  // namespace ridestream::client
