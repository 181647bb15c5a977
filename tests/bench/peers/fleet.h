#pragma once

#include <random>
#include <string>

#include "libs/base/geo.h"

/// The fleet that every peer holds: kDrivers at random places of a rectangle as large as Manhattan.
namespace ridestream::bench {

inline constexpr int kDrivers = 10'000;
inline constexpr double kNorthM = 20'000;
inline constexpr double kEastM = 3'000;
/// How many drivers a question asks for.
inline constexpr int kNearest = 10;

/// The id of driver `number`, from 0.
std::string DriverName(int number);

LatLng RandomPlace(std::mt19937_64& random);

}  // namespace ridestream::bench
