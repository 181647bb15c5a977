#pragma once

#include <vector>

#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/plan/route_progress.h"

/// A driver drives on along the old route until the new one arrives. So a new route begins where
/// the car was last seen, follows the old one until the new one reaches the driver, and only
/// then another way: see Ichoua, Gendreau and Potvin, "Diversion Issues in Real-Time Vehicle
/// Dispatching", Transportation Science 2000. Otherwise it might begin with a turn that the car has
/// passed by then.
namespace ridestream::dispatch {

/// Puts `lead` before a way that was found from its last point. A lead of fewer than two points
/// changes nothing.
void Prepend(const std::vector<RouteProgress::Point>& lead, RouteFound::Way& way);

}  // namespace ridestream::dispatch
