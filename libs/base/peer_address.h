#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

namespace ridestream {

/// What limits per address count by: the machine or the network from which a peer comes. An IPv6
/// address counts as its /64 network, since whoever has one address of it usually has them all.
struct PeerAddress {
  /// "ipv4:192.0.2.7" or "ipv6:2001:db8:0:1::/64", without a port. An IPv4 address that is mapped
  /// into IPv6 has the name of the IPv4 address. Other peers have the name that their transport
  /// gives them.
  std::string name;
  /// This machine itself: loopback, a Unix socket, or in-process.
  bool is_local = false;
};

/// The peer of a socket, as accept or getpeername tells it.
PeerAddress ToPeerAddress(const sockaddr_storage& peer);

/// The peer of a call, as grpc::ServerContextBase::peer() tells it, e.g. "ipv4:192.0.2.7:50412" or
/// "ipv6:%5B2001:db8::1%5D:50412".
PeerAddress ParsePeer(std::string_view peer);

/// A peer of which only the IP address is known, "192.0.2.7" or "2001:db8::1", as ParsePeer takes
/// it: with port 0. Empty for anything else.
std::optional<std::string> PeerOfHost(std::string_view host);

}  // namespace ridestream
