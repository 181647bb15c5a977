#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/process/child_process.h"
#include "libs/process/haproxy.h"

namespace ridestream::process {

/// HAProxy in front of trip and dispatch, with deploy/door/haproxy.cfg, for tests and local runs.
/// Not thread-safe.
class Door {
 public:
  struct Options {
    /// deploy/door/haproxy.cfg.
    std::string config;
    /// HOST:PORT of the services behind it.
    std::string trip;
    std::string dispatch;
    /// The folder for its log (door.log) and its certificate with the key (door.pem).
    std::string folder;
    /// The folder of a throwaway authority. The door presents its certificate `door` to the
    /// services. Empty: the services speak plaintext.
    std::string authority = {};
    /// Whether clients must use TLS; the door presents the same certificate to them. Requires
    /// `authority`.
    bool tls = true;
    /// The port of 127.0.0.1 to listen on; 0 chooses a free port.
    std::uint16_t port = 0;
    /// Maximum number of requests in 10 s, and of connections, for each client address.
    int max_requests = 2'000;
    int max_connections = 200;
  };

  /// Returns when the door listens. NOT_FOUND if HAProxy isn't installed; UNAVAILABLE, with the end
  /// of its log, if it doesn't start.
  static absl::StatusOr<std::unique_ptr<Door>> Start(const Options& options);

  /// HOST:PORT.
  const std::string& address() const { return proxy_->address(); }
  const ChildProcess& process() const { return proxy_->process(); }

 private:
  explicit Door(std::unique_ptr<HaProxy> proxy) : proxy_(std::move(proxy)) {}

  const std::unique_ptr<HaProxy> proxy_;
};

}  // namespace ridestream::process
