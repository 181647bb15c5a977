#pragma once

#include <string>

#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::replay {

/// A decision in a few words, for people.
std::string Describe(const dispatch::Decision& decision);

}  // namespace ridestream::replay
