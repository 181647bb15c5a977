#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "libs/roads/streets.h"

namespace ridestream::roads {

/// Finds routes and travel-time tables between random places, by coordinates, on this thread. The
/// result has everything that another engine needs to do the same:
/// - "routes": objects with "from" and "to" ({"lat", "lon"} in degrees), "cpu_us", and, if there is
///   a route, "s" and "m", its duration and length;
/// - "tables": objects with "name", "sources" and "targets" (places as above), "cpu_us", and "s":
///   a row for each source, null for unreachable targets.
/// CPU times include finding the streets of the places.
nlohmann::json RunForComparison(const Streets& streets, std::uint64_t seed);

}  // namespace ridestream::roads
