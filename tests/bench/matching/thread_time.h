#pragma once

#include <time.h>

#include <chrono>

namespace ridestream::bench {

/// What the calling thread has computed since it began: what other processes take from it doesn't
/// count, so that figures of a busy machine can be compared.
inline std::chrono::nanoseconds ThreadTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace ridestream::bench
