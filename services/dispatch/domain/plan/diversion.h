#pragma once

#include <vector>

#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/plan/route_progress.h"

/// A driver follows the old route until the new one arrives. So a new route begins at the car's
/// last position, follows the old route for the time that the new one takes to reach the driver,
/// and only then diverts: see Ichoua, Gendreau and Potvin, "Diversion Issues in Real-Time Vehicle
/// Dispatching", Transportation Science 2000. Otherwise it might begin with a turn that the car has
/// already passed.
namespace ridestream::dispatch {

/// Prepends `lead` to a route that begins at its last point. Does nothing if `lead` has fewer than
/// two points.
void Prepend(const std::vector<RouteProgress::Point>& lead, RouteFound::Way& way);

}  // namespace ridestream::dispatch
