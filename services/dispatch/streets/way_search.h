#pragma once

#include "absl/status/statusor.h"
#include "libs/roads/engine/router.h"
#include "libs/roads/streets.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// Finds the fastest route from the car through the stops, in wire format. Errors as
/// Router::FindRoute.
absl::StatusOr<RouteFound::Way> FindWay(const roads::Router& router, const FindRoute& question);

/// The same for a car with a track, which continues on its street in its direction.
absl::StatusOr<RouteFound::Way> FindWay(const roads::Streets& streets, const FindRoute& question);

}  // namespace ridestream::dispatch
