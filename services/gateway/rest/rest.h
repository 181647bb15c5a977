#pragma once

#include <chrono>
#include <memory>

#include "services/gateway/credentials/credentials.h"
#include "services/gateway/http/exchange.h"
#include "services/gateway/rest/routes.h"

namespace ridestream::gateway {

struct RestOptions {
  /// Deadline of unary calls that have none.
  std::chrono::milliseconds default_timeout{15'000};
  /// Interval of heartbeats on a stream without events. They keep proxies from closing the
  /// connection.
  std::chrono::milliseconds heartbeat{15'000};
  /// Decides which credentials calls to the services carry.
  Credentials credentials = {};
};

/// Answers a REST request with JSON, or with Server-Sent Events for a streaming method. Errors are
/// application/problem+json. The route and the options must outlive the request. Must be called on
/// the exchange's strand.
void ServeRest(const Routes::Found& found, const RestOptions& options,
               const std::shared_ptr<Exchange>& exchange);

}  // namespace ridestream::gateway
