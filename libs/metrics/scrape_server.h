#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/host_port.h"

namespace ridestream::metrics {

/// An HTTP server for scrapers: one thread, one response per connection. It never waits for a
/// client: a connection lives for a bounded time, and if there are too many the oldest is closed,
/// so silent connections can't keep a scraper out.
class ScrapeServer {
 public:
  struct Limits {
    std::size_t connections = 32;
    std::chrono::milliseconds patience{5'000};
  };

  struct Page {
    std::string content_type;
    std::string body;
  };
  /// Returns the answer to GET /metrics for the values of the request's headers `Accept`.
  using Render = std::function<Page(std::string_view accept)>;

  /// `render` runs on the server's thread, and what it reads must outlive the server. If the host
  /// has several addresses, the first is used; port 0 chooses a free port. UNAVAILABLE, with the
  /// reason, if the address can't be bound.
  static absl::StatusOr<std::unique_ptr<ScrapeServer>> Start(const HostPort& address, Limits limits,
                                                             Render render);
  ~ScrapeServer();
  ScrapeServer(const ScrapeServer&) = delete;
  ScrapeServer& operator=(const ScrapeServer&) = delete;

  int port() const { return port_; }

 private:
  struct Connection;

  ScrapeServer(Limits limits, Render render);
  absl::Status Listen(const HostPort& address);
  void Run();
  void Accept();
  /// Reads and writes what it can without blocking. Returns false when the connection has ended.
  bool Serve(Connection& connection) const;
  std::string Answer(const std::string& request) const;

  const Limits limits_;
  const Render render_;
  int port_ = 0;
  int listener_ = -1;
  int stop_ = -1;  // An eventfd that becomes readable when the thread must end.
  std::vector<std::unique_ptr<Connection>> connections_;  // Used by the thread only; oldest first.
  std::thread thread_;
};

}  // namespace ridestream::metrics
