#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ridestream::gateway {

/// The host in "host:port" as the field Host has it, in small letters and without the port; of an
/// IPv6 address with its brackets. Nothing if it is no such text.
std::optional<std::string> HostName(std::string_view authority);

/// Whether the host, without a port, is this machine alone: localhost and names below it,
/// 127.0.0.0/8 and [::1].
bool IsLoopback(std::string_view host);

/// The names under which the gateway answers. A page of another site whose name is made to lead
/// here (DNS rebinding) counts as our own for a browser; its name gives it away. Immutable.
class Hosts {
 public:
  /// Allows loopback alone: localhost and names below it, 127.0.0.0/8 and [::1].
  Hosts() = default;

  /// Allows loopback, the host of `listen` (host:port), and those of `list`
  /// ("ride.example,10.0.0.7"), or every one for "*". INVALID_ARGUMENT names what is not a host.
  static absl::StatusOr<Hosts> Parse(std::string_view list, std::string_view listen);

  /// `authority` is the value of a request's Host.
  bool Allow(std::string_view authority) const;

 private:
  bool all_ = false;
  std::vector<std::string> listed_;
};

}  // namespace ridestream::gateway
