#include "services/gateway/http/hosts.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "libs/base/host_port.h"

namespace ridestream::gateway {
namespace {

bool AreAll(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           others.find(c) != std::string_view::npos;
  });
}

/// Whether the text is "127." and three more numbers.
bool IsLoopbackV4(std::string_view host) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(host.data(), host.size()), '.');
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           int number = 0;
           return part.find_first_not_of("0123456789") == std::string::npos &&
                  absl::SimpleAtoi(part, &number) && number <= 255;
         });
}

}  // namespace

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "[::1]" ||
         IsLoopbackV4(host);
}

std::optional<std::string> HostName(std::string_view authority) {
  std::string_view host = authority;
  std::string_view port;
  const std::size_t close = authority.starts_with('[') ? authority.find(']') : 0;
  if (close == std::string_view::npos) return std::nullopt;
  if (const std::size_t colon = authority.find(':', close); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  const bool fits =
      close > 0 ? host.size() == close + 1 && close > 1 && AreAll(host.substr(1, close - 1), ":.")
                : AreAll(host, "-._~");
  if (!fits || !(port.empty() || ParsePort(port))) return std::nullopt;
  return absl::AsciiStrToLower(absl::string_view(host.data(), host.size()));
}

absl::StatusOr<Hosts> Hosts::Parse(std::string_view list, std::string_view listen) {
  Hosts hosts;
  if (const auto host = HostName(listen)) hosts.listed_.push_back(*host);
  for (const absl::string_view piece :
       absl::StrSplit(absl::string_view(list.data(), list.size()), ',', absl::SkipWhitespace())) {
    const std::string name(absl::StripAsciiWhitespace(piece));
    if (name == "*") {
      hosts.all_ = true;
      continue;
    }
    const auto host = HostName(name);
    if (!host || name.find(':', name.rfind(']') == std::string::npos ? 0 : name.rfind(']')) !=
                     std::string::npos) {
      return absl::InvalidArgumentError(fmt::format(
          "'{}' is not a host; write ride.example, 10.0.0.7 or [::1], without a port", name));
    }
    hosts.listed_.push_back(*host);
  }
  return hosts;
}

bool Hosts::Allow(std::string_view authority) const {
  if (all_) return true;
  const auto host = HostName(authority);
  return host &&
         (IsLoopback(*host) || std::find(listed_.begin(), listed_.end(), *host) != listed_.end());
}

}  // namespace ridestream::gateway
