#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

namespace ridestream {

/// The key by which limits count addresses: the machine or network from which a peer connects. An
/// IPv6 address counts as its /64 network, because a host usually controls all addresses of its
/// /64.
struct PeerAddress {
  /// "ipv4:192.0.2.7" or "ipv6:2001:db8:0:1::/64", without a port. An IPv4-mapped IPv6 address has
  /// the name of the IPv4 address. Peers on other transports keep the transport's name.
  std::string name;
  /// Whether the peer is on this machine: loopback, a Unix socket, or in-process.
  bool is_local = false;
};

/// The peer of a socket, from the result of accept or getpeername.
PeerAddress ToPeerAddress(const sockaddr_storage& peer);

/// The peer of a call, from grpc::ServerContextBase::peer(), e.g. "ipv4:192.0.2.7:50412" or
/// "ipv6:%5B2001:db8::1%5D:50412".
PeerAddress ParsePeer(std::string_view peer);

/// Converts an IP address, "192.0.2.7" or "2001:db8::1", to the form that ParsePeer parses, with
/// port 0. nullopt for anything else.
std::optional<std::string> PeerOfHost(std::string_view host);

}  // namespace ridestream
