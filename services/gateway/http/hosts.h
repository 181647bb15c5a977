#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ridestream::gateway {

/// The host in "host:port", the form of the field Host: in lower case and without the port. An IPv6
/// address keeps its brackets. Nothing if the text doesn't have this form.
std::optional<std::string> HostName(std::string_view authority);

/// Whether the host, given without a port, is loopback: localhost and names below it, 127.0.0.0/8
/// and [::1].
bool IsLoopback(std::string_view host);

/// The host names under which the gateway answers. Another site can make its own name lead here
/// (DNS rebinding), and a browser then considers that site's page the gateway's own. The name of
/// the host shows the difference. Immutable.
class Hosts {
 public:
  /// Allows only loopback: localhost and names below it, 127.0.0.0/8 and [::1].
  Hosts() = default;

  /// Allows loopback, the host of `listen` (host:port), and the hosts of `list`
  /// ("ride.example,10.0.0.7"), or all hosts for "*". INVALID_ARGUMENT names an invalid entry.
  static absl::StatusOr<Hosts> Parse(std::string_view list, std::string_view listen);

  /// `authority` is the value of a request's field Host.
  bool Allow(std::string_view authority) const;

 private:
  bool all_ = false;
  std::vector<std::string> listed_;
};

}  // namespace ridestream::gateway
