#pragma once

#include <cstdint>
#include <random>

namespace ridestream {

// Draws of random numbers that are the same on every platform. The standard's engines are portable,
// but its distributions are not.

/// A whole number from 0 to `bound` - 1; `bound` must be > 0. By multiplication and shift (D.
/// Lemire, "Fast Random Integer Generation in an Interval", 2019), without its rejection step: for
/// bounds below 2^32 the bias is below 2^-32.
inline std::uint64_t DrawBelow(std::mt19937_64& random, std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{random()} * bound) >> 64);
}

/// A whole number from `low` to `high`, both included.
inline std::int64_t DrawBetween(std::mt19937_64& random, std::int64_t low, std::int64_t high) {
  return low +
         static_cast<std::int64_t>(DrawBelow(random, static_cast<std::uint64_t>(high - low) + 1));
}

}  // namespace ridestream
