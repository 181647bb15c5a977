#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/process/child_process.h"
#include "tests/bench/wire/protocol.h"

namespace ridestream::bench::wire {

/// Restricts this process, its future threads and children to one core: the first available one for
/// servers, the second for clients. FAILED_PRECONDITION with fewer than two cores.
enum class Core { kServer, kClients };
absl::Status PinTo(Core core);

/// A server in a process of its own. The destructor kills it.
class Server {
 public:
  /// Starts this binary with --serve. The log is written to `folder`.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Protocol& protocol,
                                                       std::chrono::microseconds offer_every,
                                                       const std::string& folder);

  int port() const { return port_; }
  /// The CPU time of all its threads so far.
  absl::StatusOr<std::chrono::nanoseconds> CpuTime() const;
  absl::StatusOr<std::size_t> ResidentBytes() const { return process_->ResidentBytes(); }

 private:
  Server(std::unique_ptr<process::ChildProcess> process, int port)
      : process_(std::move(process)), port_(port) {}

  const std::unique_ptr<process::ChildProcess> process_;
  const int port_;
};

/// The bytes that this process's open TCP connections to a port of 127.0.0.1 have sent and
/// received, as the kernel counts them (TCP_INFO): without the headers of TCP, IP and Ethernet.
absl::StatusOr<std::uint64_t> BytesOnConnectionsTo(int port);

}  // namespace ridestream::bench::wire
