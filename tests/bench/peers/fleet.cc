#include "tests/bench/peers/fleet.h"

#include <fmt/format.h>

namespace ridestream::bench {

std::string DriverName(int number) { return fmt::format("driver-{:06}", number); }

LatLng RandomPlace(std::mt19937_64& random) {
  std::uniform_real_distribution<double> north(0, kNorthM);
  std::uniform_real_distribution<double> east(0, kEastM);
  return OffsetBy(LatLng::FromDegrees(40.68, -73.99), north(random), east(random));
}

}  // namespace ridestream::bench
