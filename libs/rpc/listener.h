#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/rpc/descriptor.h"

namespace ridestream::rpc {

/// Opens non-blocking listening sockets on all addresses that host:port resolves to; an empty host
/// means every address of this machine. Port 0 chooses a free port, the same for all sockets.
/// INVALID_ARGUMENT if `address` isn't host:port; UNAVAILABLE, with the address, if it can't be
/// bound.
absl::StatusOr<std::vector<Descriptor>> ListenOn(const std::string& address);

/// The address by which this machine reaches a listening socket: loopback for a wildcard.
sockaddr_storage ReachableAddress(const Descriptor& listener);

/// The address to which a socket is bound.
sockaddr_storage LocalAddress(const Descriptor& socket);

int PortOf(const sockaddr_storage& address);
void SetPort(sockaddr_storage& address, int port);
socklen_t SizeOf(const sockaddr_storage& address);

}  // namespace ridestream::rpc
