#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace ridestream::client {

/// Returns a token that is valid now. Called for every call and every stream, so it should cache. A
/// driver calls it on its own thread, and Close() waits for it; a rider on the threads of its
/// callers, which may be several at once.
using TokenSource = std::function<absl::StatusOr<std::string>()>;

/// Where the service is, and who calls.
struct Connection {
  /// host:port.
  std::string address = "";
  TokenSource token = nullptr;
  /// PEM of the authorities that the service's certificate must lead to. Empty: the system's.
  std::string roots = "";
  /// For services that run with --insecure: plaintext, and `driver/ID` or `rider/ID` in place of a
  /// token.
  std::string insecure_caller = "";
};

}  // namespace ridestream::client
