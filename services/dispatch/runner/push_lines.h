#pragma once

#include <functional>
#include <string>

#include "libs/base/id.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// Writes the log line of a push to a driver, if it is an offer, an offer's end or a plan, with the
/// ids of the driver, the session, the trips, and the trips' requests according to `request_of`.
void LogPush(const Push& push, const SessionId& session,
             const std::function<std::string(const std::string& trip_id)>& request_of);

}  // namespace ridestream::dispatch
