#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "services/gateway/call/services.h"
#include "services/gateway/credentials/credentials.h"
#include "services/gateway/http/exchange.h"

namespace ridestream::gateway {

struct WebOptions {
  /// Deadline of unary calls that have none.
  std::chrono::milliseconds default_timeout{15'000};
  /// Largest message that is accepted on a WebSocket.
  std::size_t max_message_bytes = 1 << 20;
  /// How long a WebSocket's client may take to send the call's metadata.
  std::chrono::milliseconds hello_time{10'000};
  /// Decides which credentials calls to the services carry.
  Credentials credentials = {};
};

/// Whether this is a media type of gRPC-Web.
bool IsGrpcWeb(std::string_view content_type);

/// Answers a gRPC-Web request for `method`, which must outlive the request. Other media types get
/// 415, and an invalid body gets INVALID_ARGUMENT in the trailers. Must be called on the exchange's
/// strand.
void ServeGrpcWeb(const Method& method, const WebOptions& options,
                  std::shared_ptr<Exchange> exchange);

/// Carries a call of any kind over a WebSocket with the subprotocol "grpc-websockets", which
/// services/gateway/README.md describes. Must be called from within the handler of a request that
/// asks for a WebSocket.
void ServeWebSocket(const Method& method, const WebOptions& options,
                    const std::shared_ptr<Exchange>& exchange);

/// Whether the request offers the subprotocol "grpc-websockets".
bool OffersGrpcWebSockets(const Request& request);

/// The status with which streams without a natural end are ended when the gateway drains.
absl::Status DrainingStatus();

}  // namespace ridestream::gateway
