#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"

namespace ridestream::rpc {

struct ConnectionLimits {
  /// Connections from everywhere.
  std::size_t in_all = 20'000;
  /// Connections from one address, as PeerAddress names it: IPv6 by its /64 network.
  std::size_t per_address = 2'000;
  /// Connections that have sent nothing yet, which count in neither; of more the oldest is closed.
  /// Clients who all come back at once are silent until their first bytes are on the way.
  std::size_t silent = 1'024;
};

/// Reduces the limits to what the process's limit of open files allows: all files but
/// kReservedDescriptors, or half of them if those are fewer. One address gets at most half of all
/// connections, and silent ones may be a sixteenth as many, or 16.
ConnectionLimits WithinDescriptors(ConnectionLimits limits);

/// Descriptors that connections leave to files, channels and the rest of the process.
inline constexpr std::size_t kReservedDescriptors = 64;

/// Counts a server's open connections, in all and by address. gRPC closes connections without
/// notice, so the table recognizes closed ones by their descriptors: free, or another file by now.
/// Shared by the acceptor and the metrics. Thread-safe.
class ConnectionTable {
 public:
  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  /// Counts the open socket `descriptor` from `address`, a PeerAddress's name. Returns false, and
  /// counts a refusal, if a limit is reached.
  bool TryAdd(int descriptor, const std::string& address);

  /// Connections that are open now. Looks at every connection.
  std::size_t CountOpen();
  /// Refusals so far.
  std::uint64_t refused() const;
  const ConnectionLimits& limits() const { return limits_; }

 private:
  /// Inodes distinguish these sockets from later ones with the same descriptors.
  using Sockets = absl::flat_hash_map<int, ino_t>;

  void Remove(int descriptor) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RemoveClosed(Sockets& sockets) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RemoveAllClosed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::size_t CountOf(const std::string& address) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const ConnectionLimits limits_;
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Sockets> by_address_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<int, std::string> addresses_ ABSL_GUARDED_BY(mu_);  // By descriptor.
  std::uint64_t refused_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::rpc
