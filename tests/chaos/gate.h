#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ridestream::chaos {

/// How a gate carries traffic: delayed, and at a limited rate.
struct Traffic {
  /// Delay of each byte, in either direction.
  std::chrono::milliseconds delay{0};
  /// Rate limit of each connection in each direction; 0 means no limit.
  std::size_t bytes_per_s = 0;
};

/// Receives all data in order before it is forwarded: the connection's number, counted from 1,
/// whether the client sent it, and the bytes. Called on the gate's thread; must not call the gate.
using Tap = std::function<void(int connection, bool from_client, std::string_view bytes)>;

/// A TCP proxy in front of a service that simulates network faults on demand. It always accepts
/// connections; a connection is reset if the service can't be reached.
///
/// Thread-safe: a separate thread does the work, and each function waits for it.
class Gate {
 public:
  /// Opens a gate in front of `target`, host:port with a numeric host. UNAVAILABLE if no port can
  /// be bound.
  static absl::StatusOr<std::unique_ptr<Gate>> Open(const std::string& target, Tap tap = nullptr);
  /// Resets open connections.
  ~Gate();

  /// Where clients connect: 127.0.0.1:PORT.
  const std::string& address() const { return address_; }

  /// Applies `traffic` from now on, also to open connections.
  void Shape(const Traffic& traffic);
  /// Resets every connection, and returns their number.
  std::size_t Cut();
  /// Makes every connection half-open for good: both ends believe that it is open, but nothing
  /// arrives any more, not even its end. New connections work. Returns the number of connections.
  std::size_t Silence();
  std::size_t connections() const;

 private:
  class Impl;
  Gate(std::unique_ptr<Impl> impl, std::string address);

  const std::unique_ptr<Impl> impl_;
  const std::string address_;
};

}  // namespace ridestream::chaos
