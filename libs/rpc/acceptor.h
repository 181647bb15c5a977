#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/rpc/connection_table.h"
#include "libs/rpc/descriptor.h"

namespace ridestream::rpc {

/// Accepts a server's connections within limits, and passes each on when its peer has sent the
/// first byte. gRPC 1.51's own listener accepts every connection, and stops forever when the
/// process runs out of descriptors. This one continues, closes connections beyond the limits at
/// once, and closes the oldest silent connection when another one needs its place. Runs one thread.
/// Thread-safe.
class Acceptor {
 public:
  /// Takes over the descriptor of a new connection, on the acceptor's thread.
  using OnConnection = std::function<void(int descriptor)>;

  struct Options {
    /// host:port, as ListenOn takes it.
    std::string address;
    /// Counts the connections and enforces the limits. Not null.
    std::shared_ptr<ConnectionTable> connections;
    /// How long a connection may stay silent, in wall time.
    std::chrono::milliseconds patience{10'000};
  };

  /// Opens the sockets without accepting yet. Errors are those of ListenOn.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(Options options);
  /// Stops.
  ~Acceptor();

  int port() const;
  /// Starts accepting. Call once. `on_own` receives the connections of ConnectToSelf; if null,
  /// `on_connection` does.
  void Start(OnConnection on_connection, OnConnection on_own = nullptr);
  /// Closes the listening sockets and all silent connections, and waits for a running callback.
  void Stop();

  /// Opens a non-blocking connection from this process to its own port. No limit applies to it,
  /// because a probe must not fail when strangers occupy all connections. One at a time.
  /// UNAVAILABLE or DEADLINE_EXCEEDED if the connection can't be made within `timeout` of wall
  /// time.
  absl::StatusOr<Descriptor> ConnectToSelf(std::chrono::milliseconds timeout);

 private:
  struct Silent {
    Descriptor connection;
    std::string address;
    std::chrono::steady_clock::time_point deadline;
  };

  Acceptor(Options options, std::vector<Descriptor> listeners, Descriptor wake);

  void Run();
  int MillisUntilNextDeadline() const;
  void CloseOverdue();
  /// `states` are those of silent_, in its order.
  void HandOverSpeaking(const std::vector<pollfd>& states);
  /// Returns false if the process lacks a descriptor or memory for another connection.
  bool AcceptFrom(int listener);
  void Receive(Descriptor connection, const sockaddr_storage& peer);
  void HandOver(Descriptor connection, const std::string& address);
  bool IsOwn(const sockaddr_storage& peer);

  const Options options_;
  std::vector<Descriptor> listeners_;
  const Descriptor wake_;
  // The first listener's address as reachable from this machine.
  const sockaddr_storage own_address_;
  OnConnection on_connection_;
  OnConnection on_own_;
  std::deque<Silent> silent_;  // Oldest first. Used by the thread only.
  Mutex mu_;
  // Local address of the ConnectToSelf connection; AF_UNSPEC while there is none.
  sockaddr_storage probe_address_ ABSL_GUARDED_BY(mu_) = {};
  std::thread thread_;
};

}  // namespace ridestream::rpc
