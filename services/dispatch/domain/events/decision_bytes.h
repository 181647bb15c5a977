#pragma once

#include <string>

#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// Appends all that the decision says. Equal decisions have equal bytes, and others have different
/// ones, within one version of this code. For comparing two runs of a market.
void AppendBytes(const Decision& decision, std::string& bytes);

}  // namespace ridestream::dispatch
