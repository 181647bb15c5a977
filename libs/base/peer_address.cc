#include "libs/base/peer_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_replace.h"
#include "libs/base/host_port.h"

namespace ridestream {
namespace {

constexpr std::string_view kIpv4 = "ipv4:";
constexpr std::string_view kIpv6 = "ipv6:";
constexpr std::size_t kNetworkBytes = 8;
/// Offset of the IPv4 address in an IPv4-mapped IPv6 address.
constexpr std::size_t kMappedFrom = 12;

PeerAddress OfIpv4(const in_addr& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &address, text.data(), text.size());
  const bool is_loopback = (ntohl(address.s_addr) >> 24) == IN_LOOPBACKNET;
  return {std::string(kIpv4) + text.data(), is_loopback};
}

PeerAddress OfIpv6(in6_addr address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr mapped{};
    std::memcpy(&mapped, address.s6_addr + kMappedFrom, sizeof(mapped));
    return OfIpv4(mapped);
  }
  const bool is_loopback = IN6_IS_ADDR_LOOPBACK(&address);
  std::fill(std::begin(address.s6_addr) + kNetworkBytes, std::end(address.s6_addr),
            std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, &address, text.data(), text.size());
  return {std::string(kIpv6) + text.data() + "/64", is_loopback};
}

}  // namespace

PeerAddress ToPeerAddress(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &peer, sizeof(v4));
    return OfIpv4(v4.sin_addr);
  }
  if (peer.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &peer, sizeof(v6));
    return OfIpv6(v6.sin6_addr);
  }
  if (peer.ss_family == AF_UNIX) return {"unix", true};
  return {"unknown", false};
}

PeerAddress ParsePeer(std::string_view peer) {
  const bool is_ipv6 = peer.starts_with(kIpv6);
  if (!is_ipv6 && !peer.starts_with(kIpv4)) return {std::string(peer), true};
  // gRPC percent-encodes characters that a URI may not contain: brackets, and the '%' before the
  // interface of a link-local address.
  const auto address = ParseHostPort(
      absl::StrReplaceAll(absl::string_view(peer.data() + kIpv4.size(), peer.size() - kIpv4.size()),
                          {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}}));
  if (address.ok()) {
    const std::string host = address->host.substr(0, address->host.find('%'));
    in_addr v4{};
    in6_addr v6{};
    if (!is_ipv6 && inet_pton(AF_INET, host.c_str(), &v4) == 1) return OfIpv4(v4);
    if (is_ipv6 && inet_pton(AF_INET6, host.c_str(), &v6) == 1) return OfIpv6(v6);
  }
  return {std::string(peer), false};
}

std::optional<std::string> PeerOfHost(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return fmt::format("{}{}:0", kIpv4, text);
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return fmt::format("{}[{}]:0", kIpv6, text);
  return std::nullopt;
}

}  // namespace ridestream
