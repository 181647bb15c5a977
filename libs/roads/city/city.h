#pragma once

#include <cstdint>

#include "libs/roads/map/osm_data.h"

namespace ridestream::roads {

/// The built-in city: about 8 by 6 km and 3,000 junctions, around 45 N 30 W, where there is nothing
/// but the Atlantic. Blocks of uneven size between numbered streets (many of them one-way) and
/// named avenues, faster boulevards, a park, a river with five bridges, and a motorway around it
/// all.
///
/// The same seed gives the same map on every platform and with every compiler: it is made of whole
/// numbers only.
OsmData MakeCity(std::uint64_t seed);

}  // namespace ridestream::roads
