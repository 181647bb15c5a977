#include "libs/base/host_port.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "absl/status/status.h"

namespace ridestream {
namespace {

/// Spaces, control characters, and characters that occur only in lists and URLs.
bool IsForeign(char c) { return c <= ' ' || c == '\x7f' || c == ',' || c == '/'; }

/// The host without the brackets of an IPv6 address. nullopt if a bracket has no counterpart, if
/// the brackets contain anything but an IPv6 address, or if an IPv6 address has none.
std::optional<std::string_view> WithoutBrackets(std::string_view host) {
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (host.find_first_of("[]") != std::string_view::npos) return std::nullopt;
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  if (is_ipv6 != in_brackets) return std::nullopt;
  return host;
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && std::none_of(text.begin(), text.end(), IsForeign)) {
    const auto host = WithoutBrackets(text.substr(0, colon));
    const auto port = ParsePort(text.substr(colon + 1));
    if (host && port) return HostPort{std::string(*host), *port};
  }
  return absl::InvalidArgumentError(fmt::format(
      "'{}' is not host:port, such as 127.0.0.1:7001 or [::1]:7001 (ports are 0 to 65535)", text));
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::string ToString(const HostPort& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                 : fmt::format("{}:{}", address.host, address.port);
}

std::string WithPort(std::string_view address, int port) {
  return fmt::format("{}:{}", address.substr(0, address.rfind(':')), port);
}

}  // namespace ridestream
