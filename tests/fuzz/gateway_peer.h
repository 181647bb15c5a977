#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "services/gateway/http/http_server.h"

namespace ridestream::fuzz {

/// A client of a gateway's HTTP server in this process, over loopback. Aborts if the server can't
/// be reached, or doesn't finish.
class GatewayPeer {
 public:
  explicit GatewayPeer(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Closed by a reset, so that thousands of connections a second leave no port in TIME_WAIT.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    const timeval patience{.tv_sec = 8, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      std::abort();
    }
  }
  ~GatewayPeer() { close(fd_); }
  GatewayPeer(const GatewayPeer&) = delete;
  GatewayPeer& operator=(const GatewayPeer&) = delete;

  /// The server may have closed before reading everything.
  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Reads to the end of a header; returns false if the connection ended before.
  bool ReadHead() const {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n")) {
      if (recv(fd_, &byte, 1, 0) != 1) return false;
      head += byte;
    }
    return true;
  }
  /// Half-closes, and reads until the server closes.
  void Finish() const {
    shutdown(fd_, SHUT_WR);
    char bytes[4096];
    ssize_t count = 0;
    while ((count = recv(fd_, bytes, sizeof(bytes), 0)) > 0) {
    }
    if (count < 0 && errno == EAGAIN) std::abort();
  }

 private:
  const int fd_;
};

/// Sends the fuzzer's bytes to a server in this process, which is created at the first call and
/// lives until the process exits. `before`, unless empty, is sent first, and the server must answer
/// it with a header.
inline void SendToServer(gateway::Handler handler, std::string_view before,
                         const std::uint8_t* data, std::size_t size) {
  static const auto server =
      gateway::HttpServer::Start({.threads = 1, .handler = std::move(handler)});
  if (!server.ok()) std::abort();
  const GatewayPeer peer((*server)->port());
  if (!before.empty()) {
    peer.Send(before);
    if (!peer.ReadHead()) std::abort();
  }
  peer.Send({reinterpret_cast<const char*>(data), size});
  peer.Finish();
}

}  // namespace ridestream::fuzz
