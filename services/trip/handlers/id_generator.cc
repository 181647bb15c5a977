#include "services/trip/handlers/id_generator.h"

#include <fmt/format.h>

namespace ridestream::trip {

std::mt19937_64 IdGenerator::SeededByTheSystem() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

std::string IdGenerator::Next(char prefix) {
  std::uint64_t random = 0;
  {
    MutexLock lock(mu_);
    random = random_() >> 16;
  }
  return fmt::format("{}-{:014x}{:012x}", prefix, clock_.Now().time_since_epoch().count(), random);
}

}  // namespace ridestream::trip
