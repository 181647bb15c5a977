#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"

namespace ridestream::rpc {

struct ConnectionLimits {
  /// Connections in total.
  std::size_t in_all = 20'000;
  /// Connections from one address, by PeerAddress: IPv6 by its /64 network.
  std::size_t per_address = 2'000;
  /// Connections that have sent nothing yet, which count towards neither limit. Beyond this number
  /// the oldest is closed. Clients that reconnect all at once are silent until their first bytes
  /// arrive.
  std::size_t silent = 1'024;
};

/// Reduces the limits to the process's limit of open files, less kReservedDescriptors (or less half
/// of the files if that is fewer). One address gets at most half of all connections, and silent
/// ones at most a sixteenth, or 16 if that is more.
ConnectionLimits WithinDescriptors(ConnectionLimits limits);

/// Descriptors reserved for files, channels and the rest of the process.
inline constexpr std::size_t kReservedDescriptors = 64;

/// Counts a server's open connections, in total and by address. gRPC closes connections without
/// notice, so the table recognizes closed ones by their descriptors, which are free or refer to
/// another file. Shared by the acceptor and the metrics. Thread-safe.
class ConnectionTable {
 public:
  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  /// Adds the open socket `descriptor` from `address`, the name of a PeerAddress. If a limit is
  /// reached, returns false and counts a refusal.
  bool TryAdd(int descriptor, const std::string& address);

  /// Number of open connections. Examines every connection.
  std::size_t CountOpen();
  /// Number of refused connections so far.
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
