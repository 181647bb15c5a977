#pragma once

#include <memory>

#include "libs/base/geo.h"
#include "libs/roads/streets.h"
#include "loadtest/base/random.h"

namespace ridestream::sim {

inline constexpr char kMarket[] = "town";

/// The streets of a town so small that a car crosses it in a few minutes, so that much happens in
/// little time. The same for all runs; created at first use. Thread-safe.
std::shared_ptr<const roads::Streets> TownStreets();

/// A place on one of its streets.
LatLng SomewhereInTown(loadtest::Random& random);

}  // namespace ridestream::sim
