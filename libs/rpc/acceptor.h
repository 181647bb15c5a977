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

/// Accepts a server's connections within limits, and hands each over when its peer has sent the
/// first byte. gRPC 1.51's own listener stops forever when the process runs out of descriptors,
/// and takes every connection; this one goes on, closes connections beyond the limits at once, and
/// closes the oldest silent one when another needs its place. Runs one thread. Thread-safe.
class Acceptor {
 public:
  /// Takes over the descriptor of a new connection, on the acceptor's thread.
  using OnConnection = std::function<void(int descriptor)>;

  struct Options {
    /// host:port, as ListenOn takes it.
    std::string address;
    /// Counts what is handed over, and says what may be. Not null.
    std::shared_ptr<ConnectionTable> connections;
    /// How long a connection may stay silent, in wall time.
    std::chrono::milliseconds patience{10'000};
  };

  /// Listens, without accepting yet. Errors are those of ListenOn.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(Options options);
  /// Stops.
  ~Acceptor();

  int port() const;
  /// Starts to accept. Once. `on_own` takes the connections of ConnectToSelf; null: as the others.
  void Start(OnConnection on_connection, OnConnection on_own = nullptr);
  /// Closes the listening sockets and all silent connections, and waits for a connection that is
  /// being handed over.
  void Stop();

  /// Makes a non-blocking connection from this process to its own port. No limit applies to it: a
  /// probe must not fail because strangers hold all connections. One at a time. UNAVAILABLE or
  /// DEADLINE_EXCEEDED when the connection can't be made within `timeout` of wall time.
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
  /// Returns false when the process lacks a descriptor or memory for another connection.
  bool AcceptFrom(int listener);
  void Receive(Descriptor connection, const sockaddr_storage& peer);
  void HandOver(Descriptor connection, const std::string& address);
  bool IsOwn(const sockaddr_storage& peer);

  const Options options_;
  std::vector<Descriptor> listeners_;
  const Descriptor wake_;
  // The first listener's, as this machine reaches it.
  const sockaddr_storage own_address_;
  OnConnection on_connection_;
  OnConnection on_own_;
  std::deque<Silent> silent_;  // Oldest first. Used by the thread alone.
  Mutex mu_;
  // Where ConnectToSelf comes from; of no family when it isn't used.
  sockaddr_storage probe_address_ ABSL_GUARDED_BY(mu_) = {};
  std::thread thread_;
};

}  // namespace ridestream::rpc
