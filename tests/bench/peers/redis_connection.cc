#include "tests/bench/peers/redis_connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/numbers.h"

namespace ridestream::bench {

std::string EncodeRedisCommand(const std::vector<std::string>& arguments) {
  std::string command = fmt::format("*{}\r\n", arguments.size());
  for (const std::string& argument : arguments) {
    command += fmt::format("${}\r\n{}\r\n", argument.size(), argument);
  }
  return command;
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Open(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return absl::ErrnoToStatus(errno, "socket");
  auto connection = std::unique_ptr<RedisConnection>(new RedisConnection(socket));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::UnavailableError(fmt::format("no Redis listens on port {}", port));
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return connection;
}

RedisConnection::~RedisConnection() { close(socket_); }

absl::Status RedisConnection::Send(std::string_view commands) {
  while (!commands.empty()) {
    const ssize_t sent = send(socket_, commands.data(), commands.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return absl::ErrnoToStatus(errno, "send");
    commands.remove_prefix(static_cast<std::size_t>(sent));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> RedisConnection::Take(std::size_t bytes) {
  while (true) {
    const std::string_view rest = std::string_view(received_).substr(taken_);
    const std::size_t end = bytes > 0 ? bytes : rest.find("\r\n");
    if (end != std::string_view::npos && rest.size() >= end + 2) {
      taken_ += end + 2;
      return rest.substr(0, end);
    }
    received_.erase(0, taken_);
    taken_ = 0;
    char buffer[64 << 10];
    const ssize_t got = recv(socket_, buffer, sizeof(buffer), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "recv");
    if (got == 0) return absl::UnavailableError("Redis closed the connection");
    received_.append(buffer, static_cast<std::size_t>(got));
  }
}

absl::Status RedisConnection::Read(std::vector<std::string>& strings) {
  strings.clear();
  for (int left = 1; left > 0; --left) {
    const absl::StatusOr<std::string_view> line = Take(0);
    if (!line.ok()) return line.status();
    if (line->empty()) return absl::InternalError("Redis sent an empty line");
    const std::string rest(line->substr(1));
    int count = 0;
    switch ((*line)[0]) {
      case '-':
        return absl::InternalError("Redis: " + rest);
      case '*':
        if (!absl::SimpleAtoi(rest, &count)) return absl::InternalError("Redis: *" + rest);
        left += std::max(count, 0);
        break;
      case '$': {
        if (!absl::SimpleAtoi(rest, &count)) return absl::InternalError("Redis: $" + rest);
        if (count <= 0) return absl::InternalError("Redis sent an empty string");
        const absl::StatusOr<std::string_view> text = Take(static_cast<std::size_t>(count));
        if (!text.ok()) return text.status();
        strings.emplace_back(*text);
        break;
      }
      default:  // A simple string or a number.
        strings.push_back(rest);
    }
  }
  return absl::OkStatus();
}

}  // namespace ridestream::bench
