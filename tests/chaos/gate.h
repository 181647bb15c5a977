#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ridestream::chaos {

/// How a gate carries what passes: late, and at most so much of it.
struct Traffic {
  /// Each byte comes so much later, in either direction.
  std::chrono::milliseconds delay{0};
  /// The limit of each connection, in each direction; 0 is as fast as it goes.
  std::size_t bytes_per_s = 0;
};

/// Sees what a gate carries, in order, before it is passed on: the connection, counted from 1,
/// whether the client sent it, and the bytes. Called on the gate's thread; must not call the gate.
using Tap = std::function<void(int connection, bool from_client, std::string_view bytes)>;

/// A TCP proxy in front of a service: what a network does to connections, it does on demand. It
/// takes connections all the time; one whose service can't be reached is reset.
///
/// Thread-safe: one thread of its own does the work, and each function waits for it.
class Gate {
 public:
  /// In front of `target`, host:port with a numeric host. UNAVAILABLE when no port can be had.
  static absl::StatusOr<std::unique_ptr<Gate>> Open(const std::string& target, Tap tap = nullptr);
  /// Resets what is open.
  ~Gate();

  /// Where clients connect: 127.0.0.1:PORT.
  const std::string& address() const { return address_; }

  /// From now on, for connections that are open too.
  void Shape(const Traffic& traffic);
  /// Resets every connection. Returns how many there were.
  std::size_t Cut();
  /// Makes every connection half-open, for good: both ends believe that it stands, and nothing
  /// arrives any more, not even its end. New ones are fine. Returns how many there were.
  std::size_t Silence();
  std::size_t connections() const;

 private:
  class Impl;
  Gate(std::unique_ptr<Impl> impl, std::string address);

  const std::unique_ptr<Impl> impl_;
  const std::string address_;
};

}  // namespace ridestream::chaos
