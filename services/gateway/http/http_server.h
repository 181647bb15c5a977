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

/// What peers may take. All times are of the wall.
struct HttpLimits {
  /// Bound of the header, and of what a peer may send ahead of its next request's turn.
  std::size_t header_bytes = 16 << 10;
  std::size_t body_bytes = 1 << 20;
  /// In all, and by address: of IPv4 by each, of IPv6 by each network of 64 bits.
  std::size_t connections = 10'000;
  std::size_t connections_per_address = 2'000;
  /// Held of bodies and of messages of WebSockets, by all peers together.
  std::size_t all_body_bytes = 64 << 20;
  /// From the first byte of a request to the end of its header, and of its body.
  std::chrono::milliseconds header_time{10'000};
  std::chrono::milliseconds body_time{30'000};
  /// How long a connection may wait for its next request.
  std::chrono::milliseconds idle_time{75'000};
  /// Time after which a peer that reads no byte of what waits for it is disconnected.
  std::chrono::milliseconds stall_time{20'000};
};

/// Told of requests. Thread-safe; outlives the server.
class HttpObserver {
 public:
  virtual ~HttpObserver() = default;
  /// A request by this method was answered, or began to be, so long after it had arrived. `route`
  /// is what the handler says that was asked for (Exchange::SetRoute); empty if it doesn't, or if
  /// what came was no request.
  virtual void Answered(std::string_view method, std::string_view route, int status,
                        std::chrono::nanoseconds took) = 0;
};

struct HttpOptions {
  /// host:port; port 0 takes a free one.
  std::string address = "127.0.0.1:0";
  int threads = 2;
  HttpLimits limits = {};
  /// The certificate for TLS, which the port then speaks; nullptr: plain HTTP. Outlives the server.
  const HttpsCertificate* certificate = nullptr;
  Handler handler = nullptr;
  /// May be nullptr.
  HttpObserver* observer = nullptr;
};

/// HTTP/1.1 and WebSockets on Boost.Beast, with connections of bounded size and patience.
/// Thread-safe.
class HttpServer {
 public:
  struct Stats {
    std::uint64_t open_connections = 0;
    /// Turned away because there were too many, in all or of their address.
    std::uint64_t refused_connections = 0;
    /// Held now of bodies and of messages of WebSockets.
    std::size_t body_bytes = 0;
  };

  /// INVALID_ARGUMENT for an invalid address, UNAVAILABLE if the address can't be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(HttpOptions options);
  virtual ~HttpServer() = default;

  virtual int port() const = 0;
  virtual Stats stats() const = 0;
  /// Frees the port, tells OnDrain, lets what is under way end for at most `grace`, cuts
  /// what is left. Once; the destructor does it without grace.
  virtual void Drain(std::chrono::milliseconds grace) = 0;
};

}  // namespace ridestream::gateway
