#include "clients/cpp/src/backoff.h"

#include <algorithm>

namespace ridestream::client {

constexpr std::chrono::nanoseconds kFirstLimit = std::chrono::milliseconds(500);
constexpr std::chrono::nanoseconds kLastLimit = std::chrono::seconds(8);

std::chrono::nanoseconds Backoff::Next(std::optional<std::chrono::nanoseconds> asked) {
  if (asked) return *asked + UpTo(*asked / 4);
  limit_ = std::clamp(2 * limit_, kFirstLimit, kLastLimit);
  return UpTo(limit_);
}

std::chrono::nanoseconds Backoff::UpTo(std::chrono::nanoseconds limit) {
  return std::chrono::nanoseconds(
      std::uniform_int_distribution<std::int64_t>(0, limit.count())(random_));
}

}  // namespace ridestream::client
