#pragma once

#include <string_view>

#include "libs/roads/map/street_tags.h"

namespace ridestream::roads {

/// What a private car that carries riders may do; the more, the greater.
enum class CarAccess {
  kClosed,
  /// Only who begins or ends a ride there may drive there.
  kDestination,
  kOpen,
};

/// Reads the access of a way in one direction ("forward" or "backward"), or of a node (""): the
/// most specific of motorcar, motor_vehicle, vehicle and access decides, and of one key that with
/// the direction ("motor_vehicle:backward"). Of a list of values the one that allows most decides.
/// A value that isn't understood is passed over, for the next key or `otherwise`, and counted. A
/// car is a private car, not a taxi.
CarAccess ReadAccess(const Tags& tags, std::string_view direction, CarAccess otherwise,
                     TagCounts& counts);

/// Whether cars may pass a node with these tags. Its access tags decide; without them, barriers
/// that are usually opened for cars (gates, toll booths, ...) are open, and all others closed.
bool MayPassNode(const Tags& tags, TagCounts& counts);

}  // namespace ridestream::roads
