#pragma once

#include "absl/status/statusor.h"
#include "libs/roads/engine/router.h"
#include "libs/roads/streets.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// The fastest way from the car through the stops, in the wire's form. Errors as Router::FindRoute.
absl::StatusOr<RouteFound::Way> FindWay(const roads::Router& router, const FindRoute& question);

/// The same; a car with a track goes on along the street and in the direction that it tells.
absl::StatusOr<RouteFound::Way> FindWay(const roads::Streets& streets, const FindRoute& question);

}  // namespace ridestream::dispatch
