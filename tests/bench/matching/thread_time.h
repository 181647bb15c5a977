#pragma once

#include <time.h>

#include <chrono>

namespace ridestream::bench {

/// CPU time of the calling thread since it started. It excludes other processes, so figures from a
/// busy machine are comparable.
inline std::chrono::nanoseconds ThreadTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace ridestream::bench
