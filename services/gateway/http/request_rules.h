#pragma once

#include <optional>

#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// What the connection knows of a request besides its fields.
struct RequestForm {
  /// HTTP/1.1, not 1.0.
  bool is_1_1 = true;
  bool asks_for_web_socket = false;
};

/// Splits a target in absolute form ("http://host/path"), whose host replaces the field Host as RFC
/// 9112, 3.2.2 says.
void NormalizeTarget(Request& request);

/// The answer to a request whose header breaks the rules of RFC 9110, 9112 or 6455, or asks for
/// what isn't done here; nothing if it may be served. Its body, which hasn't been read, must not be
/// taken for the next request: the connection has to be closed after the answer.
std::optional<Response> Refusal(const Request& request, const RequestForm& form);

}  // namespace ridestream::gateway
