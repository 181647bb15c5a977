#pragma once

#include <cstdint>

#include "libs/roads/map/osm_data.h"

namespace ridestream::roads {

/// The built-in city: about 8 by 6 km and 3,000 junctions at 45 N 30 W, in the middle of the
/// Atlantic. It has blocks of uneven size between numbered streets (many of them one-way) and named
/// avenues, faster boulevards, a park, a river with five bridges, and a ring motorway.
///
/// The same seed gives the same map on every platform and with every compiler, because it is
/// computed with whole numbers only.
OsmData MakeCity(std::uint64_t seed);

}  // namespace ridestream::roads
