#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/host_port.h"

namespace ridestream::metrics {

/// HTTP for scrapers alone: one thread, one answer a connection. It waits for nobody: a connection
/// lives for a bounded time, and of too many the oldest is closed, so that silent ones never keep
/// a scraper out.
class ScrapeServer {
 public:
  struct Limits {
    std::size_t connections = 32;
    std::chrono::milliseconds patience{5'000};
  };

  /// `render` makes the body of GET /metrics, on the server's thread; what it reads must outlive
  /// the server. Of a host with several addresses the first counts; port 0 takes a free one.
  /// UNAVAILABLE says why it can't be had.
  static absl::StatusOr<std::unique_ptr<ScrapeServer>> Start(const HostPort& address, Limits limits,
                                                             std::function<std::string()> render);
  ~ScrapeServer();
  ScrapeServer(const ScrapeServer&) = delete;
  ScrapeServer& operator=(const ScrapeServer&) = delete;

  int port() const { return port_; }

 private:
  struct Connection;

  ScrapeServer(Limits limits, std::function<std::string()> render);
  absl::Status Listen(const HostPort& address);
  void Run();
  void Accept();
  /// Reads and writes what can be; false when the connection has ended.
  bool Serve(Connection& connection) const;
  std::string Answer(const std::string& request) const;

  const Limits limits_;
  const std::function<std::string()> render_;
  int port_ = 0;
  int listener_ = -1;
  int stop_ = -1;  // An eventfd, readable when the thread shall end.
  std::vector<std::unique_ptr<Connection>> connections_;  // The thread's own; the oldest first.
  std::thread thread_;
};

}  // namespace ridestream::metrics
