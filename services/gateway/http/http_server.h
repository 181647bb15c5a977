#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/gateway/http/exchange.h"

namespace ridestream::gateway {

class HttpsCertificate;

/// Limits for peers. All times are on the wall clock.
struct HttpLimits {
  /// Limit of a header, and of the bytes that a peer may send before its next request is read.
  std::size_t header_bytes = 16 << 10;
  std::size_t body_bytes = 1 << 20;
  /// In total, and for each IPv4 address or IPv6 network of 64 bits.
  std::size_t connections = 10'000;
  std::size_t connections_per_address = 2'000;
  /// Bytes of bodies and WebSocket messages of all peers together.
  std::size_t all_body_bytes = 64 << 20;
  /// From the first byte of a request to the end of its header, and for its body.
  std::chrono::milliseconds header_time{10'000};
  std::chrono::milliseconds body_time{30'000};
  /// Longest time for which a connection may wait for its next request.
  std::chrono::milliseconds idle_time{75'000};
  /// A peer that reads no byte for this time, while bytes wait for it, is disconnected.
  std::chrono::milliseconds stall_time{20'000};
};

/// Is notified of requests. Thread-safe. Must outlive the server.
class HttpObserver {
 public:
  virtual ~HttpObserver() = default;
  /// Called when the response to a request is sent or begins. `took` is the time since the request
  /// arrived. `route` is the route that the handler named (Exchange::SetRoute); empty if it named
  /// none, or if the bytes weren't a request.
  virtual void Answered(std::string_view method, std::string_view route, int status,
                        std::chrono::nanoseconds took) = 0;
};

struct HttpOptions {
  /// host:port. Port 0 takes a free port.
  std::string address = "127.0.0.1:0";
  int threads = 2;
  HttpLimits limits = {};
  /// The certificate for TLS. nullptr: plain HTTP. Must outlive the server.
  const HttpsCertificate* certificate = nullptr;
  Handler handler = nullptr;
  /// May be nullptr.
  HttpObserver* observer = nullptr;
};

/// Serves HTTP/1.1 and WebSockets with Boost.Beast. The memory and the time that a peer may take
/// are limited. Thread-safe.
class HttpServer {
 public:
  struct Stats {
    std::uint64_t open_connections = 0;
    /// Refused because there were too many, in total or from their address.
    std::uint64_t refused_connections = 0;
    /// Bytes of bodies and WebSocket messages that are held now.
    std::size_t body_bytes = 0;
  };

  /// INVALID_ARGUMENT for an invalid address, UNAVAILABLE if the address can't be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(HttpOptions options);
  virtual ~HttpServer() = default;

  virtual int port() const = 0;
  virtual Stats stats() const = 0;
  /// Frees the port, calls the OnDrain callbacks, waits for at most `grace` until all exchanges
  /// have ended, and cuts the others. May be called once. The destructor does the same without
  /// grace.
  virtual void Drain(std::chrono::milliseconds grace) = 0;
};

}  // namespace ridestream::gateway
