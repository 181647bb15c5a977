#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "services/gateway/call/services.h"
#include "services/gateway/credentials/credentials.h"
#include "services/gateway/http/exchange.h"

namespace ridestream::gateway {

struct WebOptions {
  /// Deadline of unary calls that come without one.
  std::chrono::milliseconds default_timeout{15'000};
  /// Largest message that a WebSocket takes.
  std::size_t max_message_bytes = 1 << 20;
  /// How long a WebSocket may take to tell the call's metadata.
  std::chrono::milliseconds hello_time{10'000};
  /// By which calls go on to the services.
  Credentials credentials = {};
};

/// The media types of gRPC-Web.
bool IsGrpcWeb(std::string_view content_type);

/// Answers a request of gRPC-Web for `method`, which outlives it. Other media types get 415, and an
/// invalid body INVALID_ARGUMENT in the trailers. On the exchange's strand.
void ServeGrpcWeb(const Method& method, const WebOptions& options,
                  std::shared_ptr<Exchange> exchange);

/// Carries a call of any kind over a WebSocket by the protocol "grpc-websockets": README.md here
/// tells it. To be called from within the handler of a request that wants a WebSocket.
void ServeWebSocket(const Method& method, const WebOptions& options,
                    const std::shared_ptr<Exchange>& exchange);

/// Whether the request offers that protocol.
bool OffersGrpcWebSockets(const Request& request);

/// What a call that could go on forever ends with when the gateway drains.
absl::Status DrainingStatus();

}  // namespace ridestream::gateway
