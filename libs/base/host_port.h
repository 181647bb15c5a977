#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ridestream {

/// A host and a port of TCP, as in "127.0.0.1:7001", "[::1]:0", "ride.example:443" and ":7000".
struct HostPort {
  /// A name or an address; an IPv6 address without its brackets. Empty if no host was named, which
  /// a server interprets as every address of the machine.
  std::string host;
  /// 0 makes a server choose a free port.
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// Parses host:port: a port of 0 to 65535 in decimal digits, an IPv6 address in brackets, and no
/// space, comma or slash anywhere. INVALID_ARGUMENT, quoting `text`, for anything else. Does not
/// check that the host exists.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

/// A port of 0 to 65535 in decimal digits; nullopt for anything else.
std::optional<std::uint16_t> ParsePort(std::string_view text);

/// The text that ParseHostPort reads.
std::string ToString(const HostPort& address);

/// Returns `address`, which must be host:port, with its port replaced by `port`.
std::string WithPort(std::string_view address, int port);

}  // namespace ridestream
