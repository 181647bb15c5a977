#pragma once

#include <cstdint>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "services/dispatch/matching/insertion.h"

/// Drivers who could serve a trip, with their travel times.
namespace ridestream::dispatch {

/// A free driver.
struct Candidate {
  DriverId driver;
  LatLng position;
  /// Travel time to the pick-up along the streets.
  Duration travel_time{};
};

/// A car of the query into whose plan the rider can be inserted.
struct InsertionFound {
  DriverId driver;
  /// Revision of the plan in the query. The stops may differ in other revisions.
  std::uint64_t plan_revision = 0;
  Insertion insertion;
};

}  // namespace ridestream::dispatch
