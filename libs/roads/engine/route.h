#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/roads/graph/timing.h"
#include "libs/roads/snapping/snap.h"

namespace ridestream::roads {

/// A path along the streets, from a place on a street to a place on a street.
struct Route {
  /// The polyline of the route. A single point if the route ends where it starts; never empty.
  std::vector<LatLng> points;
  /// The travel time of each leg, in milliseconds: points.size() - 1 entries, whose sum is
  /// `duration`.
  std::vector<std::uint32_t> leg_ms;
  double length_m = 0;
  Duration duration{0};
};

// What every routing engine needs besides its search between states: the pieces of streets at both
// ends. All times are whole milliseconds, so that all engines find exactly the same times.

/// The drive between a place on a street and a state of the turn graph.
struct Access {
  StateIndex state = 0;
  std::uint32_t ms = 0;
  EdgeIndex edge = 0;  ///< Which is driven along, and
  double part = 0;     ///< how much of it, 0 to 1.
};
using AccessList = absl::InlinedVector<Access, 3>;

/// The states in which a drive from `place` enters the graph: at one end of a one-way street, at
/// both ends of a two-way street. At the very start of a one-way street, also at the node there
/// unless the node is restricted. Empty if the street is closed.
AccessList Exits(const Timing& timing, const SnappedPoint& place);

/// The states from which a drive reaches `place`.
AccessList Entries(const Timing& timing, const SnappedPoint& place);

/// The time along one segment if both places are on it and its direction permits the drive, else
/// kUnreachableMs. Another path may be faster.
std::uint32_t DirectMs(const Timing& timing, const SnappedPoint& from, const SnappedPoint& to);

/// The route that stays on one segment; such a route must exist.
Route MakeDirectRoute(const Timing& timing, const SnappedPoint& from, const SnappedPoint& to);

/// The route from `from` by `exit`, along `path`, which leads from exit.state to entry.state, and
/// by `entry` to `to`.
Route MakeRoute(const Timing& timing, const SnappedPoint& from, const Access& exit,
                std::span<const EdgeIndex> path, const Access& entry, const SnappedPoint& to);

}  // namespace ridestream::roads
