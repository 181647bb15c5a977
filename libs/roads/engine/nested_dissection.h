#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libs/base/geo.h"
#include "libs/roads/engine/unit_flow.h"

namespace ridestream::roads {

/// An order for contracting the nodes of `streets`. The map is cut in two by as few nodes as
/// possible; these nodes come last, after the nodes of the two halves, which are ordered
/// recursively (A. George, "Nested Dissection of a Regular Finite Element Mesh", 1973). Cuts are
/// found by inertial flow (A. Schild and C. Sommer, "On Balanced Separators in Road Networks",
/// 2015): for each of several directions, a minimum cut separates the first quarter of the nodes in
/// that direction from the last quarter.
///
/// `places` contains the place of each node. `streets` needs no `reverse`. Deterministic.
std::vector<std::uint32_t> NestedDissection(const UndirectedGraph& streets,
                                            std::span<const LatLng> places);

}  // namespace ridestream::roads
