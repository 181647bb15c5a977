#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libs/base/geo.h"
#include "libs/roads/engine/unit_flow.h"

namespace ridestream::roads {

/// The nodes of `streets` in an order in which to contract them: the map is cut in two by as few
/// nodes as possible; these come last; before them each half, in an order found likewise (A.
/// George, "Nested Dissection of a Regular Finite Element Mesh", 1973). Cuts are found by inertial
/// flow (A. Schild and C. Sommer, "On Balanced Separators in Road Networks", 2015): along each of
/// some directions, the foremost quarter of the nodes is parted from the hindmost by a least cut.
///
/// `places` holds the place of each node. `streets` needs no `reverse`. Deterministic.
std::vector<std::uint32_t> NestedDissection(const UndirectedGraph& streets,
                                            std::span<const LatLng> places);

}  // namespace ridestream::roads
