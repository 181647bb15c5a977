#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"

namespace ridestream::trip {

/// New ids such as "t-0006470ae1c4b4c0f3a91b22d7e05": the time, so that the rows of a day lie
/// together in the database's indexes, then 48 random bits, so that they can't be guessed one from
/// another. Thread-safe.
class IdGenerator {
 public:
  /// A generator of unpredictable ids.
  static std::mt19937_64 SeededByTheSystem();

  /// `clock` must outlive it.
  IdGenerator(const Clock& clock, std::mt19937_64 random) : clock_(clock), random_(random) {}
  std::string Next(char prefix);

 private:
  const Clock& clock_;
  Mutex mu_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::trip
