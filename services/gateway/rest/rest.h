#pragma once

#include <chrono>
#include <memory>

#include "services/gateway/credentials/credentials.h"
#include "services/gateway/http/exchange.h"
#include "services/gateway/rest/routes.h"

namespace ridestream::gateway {

struct RestOptions {
  /// Deadline of unary calls that come without one.
  std::chrono::milliseconds default_timeout{15'000};
  /// A stream of events that has nothing to tell says so, that nothing between cuts it.
  std::chrono::milliseconds heartbeat{15'000};
  /// By which calls go on to the services.
  Credentials credentials = {};
};

/// Answers a request of REST: JSON, or Server-Sent Events where the method streams; errors as
/// application/problem+json. The route and the options outlive it. On the exchange's strand.
void ServeRest(const Routes::Found& found, const RestOptions& options,
               const std::shared_ptr<Exchange>& exchange);

}  // namespace ridestream::gateway
