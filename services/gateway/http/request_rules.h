#pragma once

#include <optional>

#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// What the connection knows about a request besides its fields.
struct RequestForm {
  /// Whether the request is HTTP/1.1. Otherwise it is HTTP/1.0.
  bool is_1_1 = true;
  bool asks_for_web_socket = false;
};

/// Splits a target in absolute form ("http://host/path"). Its host replaces the field Host (RFC
/// 9112, 3.2.2).
void NormalizeTarget(Request& request);

/// The response to a request whose header violates RFC 9110, 9112 or 6455, or requests something
/// that isn't supported; nothing if the request may be served. The caller must close the connection
/// after the response, so that the unread body isn't taken for the next request.
std::optional<Response> Refusal(const Request& request, const RequestForm& form);

}  // namespace ridestream::gateway
