#pragma once

#include <functional>
#include <string>

#include "libs/base/id.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// Writes the log line of what is pushed to a driver, if it is an offer, an offer's end or a plan:
/// with the ids of driver, session, trips, and of the requests that `request_of` knows a trip by.
void LogPush(const Push& push, const SessionId& session,
             const std::function<std::string(const std::string& trip_id)>& request_of);

}  // namespace ridestream::dispatch
