#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"

namespace ridestream::trip {

/// Generates ids such as "t-0006470ae1c4b4c0f3a91b22d7e05": the time, which keeps the rows of a day
/// together in database indexes, then 48 random bits, which make ids unpredictable. Thread-safe.
class IdGenerator {
 public:
  /// A generator of unpredictable ids.
  static std::mt19937_64 SeededByTheSystem();

  /// `clock` must outlive this object.
  IdGenerator(const Clock& clock, std::mt19937_64 random) : clock_(clock), random_(random) {}
  std::string Next(char prefix);

 private:
  const Clock& clock_;
  Mutex mu_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::trip
