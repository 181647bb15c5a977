#include "libs/rpc/peer_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_replace.h"

namespace ridestream::rpc {
namespace {

constexpr std::string_view kIpv4 = "ipv4:";
constexpr std::string_view kIpv6 = "ipv6:";

PeerAddress ParseIpv4(std::string_view host) {
  return {std::string(kIpv4) + std::string(host), host.starts_with("127.")};
}

PeerAddress ParseIpv6(std::string_view peer) {
  std::string host = absl::StrReplaceAll({peer.data(), peer.size()},
                                         {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}});
  host = host.substr(0, host.find('%'));  // The interface of a link-local address.
  in6_addr address{};
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return {std::string(peer)};
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    std::array<char, INET_ADDRSTRLEN> mapped{};
    inet_ntop(AF_INET, &address.s6_addr[12], mapped.data(), mapped.size());
    return ParseIpv4(mapped.data());
  }
  const bool is_local = IN6_IS_ADDR_LOOPBACK(&address);
  std::fill(std::begin(address.s6_addr) + 8, std::end(address.s6_addr), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, &address, text.data(), text.size());
  return {std::string(kIpv6) + text.data() + "/64", is_local};
}

}  // namespace

PeerAddress ParsePeer(std::string_view peer) {
  const bool is_ipv6 = peer.starts_with(kIpv6);
  if (!is_ipv6 && !peer.starts_with(kIpv4)) return {std::string(peer), true};
  const std::string_view without_port = peer.substr(0, peer.rfind(':'));
  if (is_ipv6) return ParseIpv6(without_port.substr(kIpv6.size()));
  return ParseIpv4(without_port.substr(kIpv4.size()));
}

}  // namespace ridestream::rpc
