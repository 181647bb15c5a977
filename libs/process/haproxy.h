#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/process/child_process.h"

namespace ridestream::process {

/// Debian's HAProxy as a child of this process, for tests and local runs. Not thread-safe.
class HaProxy {
 public:
  struct Options {
    /// Configuration files, read in this order.
    std::vector<std::string> configs;
    /// The folder for its log, NAME.log.
    std::string folder;
    std::string name = "haproxy";
    /// Environment variables that the configuration refers to.
    std::map<std::string, std::string> environment = {};
    /// The port of 127.0.0.1 to listen on; 0 chooses a free port.
    std::uint16_t port = 0;
    /// The variable for the listening address: HOST:PORT, then `bind_words`.
    std::string bind_variable;
    std::string bind_words = "proto h2";
  };

  /// Returns when HAProxy listens. NOT_FOUND if it isn't installed; UNAVAILABLE, with the end of
  /// its log, if it doesn't start.
  static absl::StatusOr<std::unique_ptr<HaProxy>> Start(const Options& options);
  ~HaProxy();

  /// HOST:PORT.
  const std::string& address() const { return address_; }
  const ChildProcess& process() const { return *process_; }

 private:
  HaProxy() = default;

  std::string address_;
  int reserved_ = -1;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace ridestream::process
