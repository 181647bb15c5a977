#include "libs/rpc/listener.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/host_port.h"

namespace ridestream::rpc {
namespace {

/// A connection whose peer acknowledges no data for this long is closed, like gRPC's own listener
/// does after its keepalive timeout.
constexpr int kUnackedTimeoutMs = 10'000;

struct AddressesDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDeleter>;

absl::StatusOr<Addresses> Resolve(const std::string& address) {
  const absl::StatusOr<HostPort> where = ParseHostPort(address);
  if (!where.ok()) return where.status();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(where->host.empty() ? nullptr : where->host.c_str(),
                                std::to_string(where->port).c_str(), &hints, &list);
  if (error != 0) {
    return absl::UnavailableError(
        fmt::format("can't listen on {}: {}", address, gai_strerror(error)));
  }
  return Addresses(list);
}

/// Listens on one address; if `port` is 0, stores the chosen port there. Returns an empty
/// descriptor, with errno, if the address can't be bound. With `v6_only`, IPv4 needs its own
/// socket.
Descriptor Listen(const addrinfo& where, bool v6_only, int& port) {
  Descriptor listener(
      socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, where.ai_protocol));
  if (listener.get() < 0) return listener;
  const auto set = [&](int level, int option, int value) {
    return setsockopt(listener.get(), level, option, &value, sizeof(value)) == 0;
  };
  sockaddr_storage address{};
  std::memcpy(&address, where.ai_addr, where.ai_addrlen);
  if (port != 0) SetPort(address, port);
  // Connections inherit TCP options.
  const bool listens =
      set(SOL_SOCKET, SO_REUSEADDR, 1) && set(IPPROTO_TCP, TCP_NODELAY, 1) &&
      set(IPPROTO_TCP, TCP_USER_TIMEOUT, kUnackedTimeoutMs) &&
      (where.ai_family != AF_INET6 || set(IPPROTO_IPV6, IPV6_V6ONLY, v6_only ? 1 : 0)) &&
      bind(listener.get(), reinterpret_cast<sockaddr*>(&address), where.ai_addrlen) == 0 &&
      listen(listener.get(), SOMAXCONN) == 0;
  if (!listens) return Descriptor();
  port = PortOf(LocalAddress(listener));
  return listener;
}

}  // namespace

absl::StatusOr<std::vector<Descriptor>> ListenOn(const std::string& address) {
  const absl::StatusOr<Addresses> addresses = Resolve(address);
  if (!addresses.ok()) return addresses.status();
  const bool several = (*addresses)->ai_next != nullptr;
  std::vector<Descriptor> listeners;
  int port = 0;
  int error = 0;
  for (const addrinfo* where = addresses->get(); where != nullptr; where = where->ai_next) {
    Descriptor listener = Listen(*where, several, port);
    if (listener.get() >= 0) {
      listeners.push_back(std::move(listener));
      continue;
    }
    error = errno;
    // This machine may lack one of the address families of a name. A port in use is an error.
    const bool lacks_family = error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
    if (!lacks_family) break;
    if (!listeners.empty() || where->ai_next != nullptr) error = 0;
  }
  if (error != 0) {
    return absl::UnavailableError(
        fmt::format("can't listen on {}: {}", address, std::strerror(error)));
  }
  return listeners;
}

sockaddr_storage ReachableAddress(const Descriptor& listener) {
  sockaddr_storage address = LocalAddress(listener);
  if (address.ss_family == AF_INET) {
    auto& any = reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr;
    if (any == htonl(INADDR_ANY)) any = htonl(INADDR_LOOPBACK);
  } else {
    auto& any = reinterpret_cast<sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_UNSPECIFIED(&any)) any = in6addr_loopback;
  }
  return address;
}

sockaddr_storage LocalAddress(const Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  (void)getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return address;
}

int PortOf(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

void SetPort(sockaddr_storage& address, int port) {
  const auto wire = htons(static_cast<std::uint16_t>(port));
  if (address.ss_family == AF_INET) reinterpret_cast<sockaddr_in&>(address).sin_port = wire;
  if (address.ss_family == AF_INET6) reinterpret_cast<sockaddr_in6&>(address).sin6_port = wire;
}

socklen_t SizeOf(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

}  // namespace ridestream::rpc
