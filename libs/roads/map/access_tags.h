#pragma once

#include <string_view>

#include "libs/roads/map/street_tags.h"

namespace ridestream::roads {

/// What a private car that carries riders may do. A greater value permits more.
enum class CarAccess {
  kClosed,
  /// Only rides that begin or end there may drive there.
  kDestination,
  kOpen,
};

/// Reads the access of a way in one direction ("forward" or "backward"), or of a node (""). The
/// most specific of motorcar, motor_vehicle, vehicle and access decides; of one key, the variant
/// with the direction ("motor_vehicle:backward"). In a list of values the most permissive one
/// decides. Unknown values are counted and skipped, in favour of the next key or `otherwise`. A car
/// is a private car, not a taxi.
CarAccess ReadAccess(const Tags& tags, std::string_view direction, CarAccess otherwise,
                     TagCounts& counts);

/// Whether cars may pass a node with these tags. Its access tags decide; without them, barriers
/// that usually open for cars (gates, toll booths, ...) are open, and all others are closed.
bool MayPassNode(const Tags& tags, TagCounts& counts);

}  // namespace ridestream::roads
