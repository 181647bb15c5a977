#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "libs/base/clock.h"

namespace ridestream::loadtest {

/// A random generator with a seed: SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable
/// Pseudorandom Number Generators", 2014). Its state has eight bytes, because each of many thousand
/// drivers has a generator. It gives the same numbers with every compiler, unlike the standard's
/// distributions. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// A generator for one of many entities of a kind, e.g. driver `number`. Sequences of different
  /// numbers are unrelated, and don't depend on the order of construction.
  Random(std::uint64_t seed, std::uint64_t number) : state_(Mix(seed) ^ Mix(~number)) {}

  std::uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15ULL); }

  /// In [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  bool Chance(double probability) { return Unit() < probability; }
  double Between(double low, double high) { return low + (high - low) * Unit(); }
  Duration Between(Duration low, Duration high) {
    return Duration(static_cast<Duration::rep>(
        Between(static_cast<double>(low.count()), static_cast<double>(high.count()))));
  }
  /// 0 to `bound` - 1; `bound` must be > 0.
  std::uint64_t Below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((Wide{Next()} * bound) >> 64);
  }
  /// The pause until the next event of a Poisson process; `mean` is the mean pause.
  Duration Exponential(Duration mean) {
    return Duration(
        static_cast<Duration::rep>(-std::log(1.0 - Unit()) * static_cast<double>(mean.count())));
  }
  /// Mean 0, standard deviation 1 (G. Box, M. Muller, 1958).
  double Gaussian() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - Unit()));
    return radius * std::cos(2.0 * std::numbers::pi * Unit());
  }

 private:
  static std::uint64_t Mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace ridestream::loadtest
