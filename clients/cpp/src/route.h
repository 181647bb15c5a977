#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ridestream::client {

/// Where a driver's next stream goes: the configured address, or the last one that the service
/// named.
class Route {
 public:
  explicit Route(const std::string& address)
      : address_(address), configured_(address), named_(address) {}

  const std::string& address() const { return address_; }
  void OnWelcome();
  /// A stream has ended, and named an address or none. Without one, the next stream goes to the
  /// same address if a Welcome came from there, else to the other one. Returns whether this is the
  /// first redirect since a Welcome (two processes may name each other). Fails if the name isn't
  /// host:port.
  absl::StatusOr<bool> OnEnd(const std::string& named);

 private:
  std::string address_;
  const std::string configured_;
  std::string named_;
  bool is_welcomed_ = false;
  bool is_redirected_ = false;
};

}  // namespace ridestream::client
