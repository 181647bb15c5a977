#pragma once

#include <string>
#include <string_view>

namespace ridestream::rpc {

/// What limits by address count by: the machine or network from which a call comes. Of an IPv6
/// address that is its /64, since whoever has one of those addresses has all of them.
struct PeerAddress {
  /// "ipv4:192.0.2.7", "ipv6:2001:db8:0:1::/64", or what gRPC calls another kind of peer.
  std::string name;
  /// This machine itself: loopback, a Unix socket, or in-process.
  bool is_local = false;
};

/// `peer` is what grpc::ServerContextBase::peer() says, e.g. "ipv4:192.0.2.7:50412" or
/// "ipv6:%5B2001:db8::1%5D:50412".
PeerAddress ParsePeer(std::string_view peer);

}  // namespace ridestream::rpc
