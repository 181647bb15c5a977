#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ridestream::bench {

/// A command as Redis reads it (RESP 2): an array of strings.
std::string EncodeRedisCommand(const std::vector<std::string>& arguments);

/// A blocking connection to a Redis server on this machine. For one thread at a time.
class RedisConnection {
 public:
  /// UNAVAILABLE when no server listens on that port of 127.0.0.1.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Open(int port);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  /// Sends one or more encoded commands at once.
  absl::Status Send(std::string_view commands);
  /// Waits for the reply to the next command, and sets `strings` to its strings; a number counts as
  /// one too. INTERNAL, with the server's message, if it rejected the command; UNAVAILABLE if it
  /// closed the connection.
  absl::Status Read(std::vector<std::string>& strings);

 private:
  explicit RedisConnection(int socket) : socket_(socket) {}
  /// Returns the next `bytes` before a CRLF, or with 0 the next line. Valid until the next call.
  absl::StatusOr<std::string_view> Take(std::size_t bytes);

  const int socket_;
  std::string received_;
  std::size_t taken_ = 0;  // Bytes of received_ that were returned.
};

}  // namespace ridestream::bench
