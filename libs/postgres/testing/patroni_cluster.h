#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/child_process.h"

namespace ridestream::postgres::testing {

/// A primary and its synchronous standby on this machine, managed by Patroni with etcd: if the
/// primary fails, the standby is promoted. Each has its own folder below folder() and its own free
/// ports. Runs as `nobody` if this process is root. Used by one thread.
class PatroniCluster {
 public:
  /// Returns when the standby is synchronous. NOT_FOUND, with what to install, if PostgreSQL,
  /// Patroni or etcd is missing on this machine.
  static absl::StatusOr<std::unique_ptr<PatroniCluster>> Start();
  /// Kills all processes and removes the folder.
  ~PatroniCluster();

  /// Names both servers, and connects to the one that accepts writes.
  std::string Url(const std::string& database = "ridestream") const;

  /// Kills the primary's Patroni and server by SIGKILL, like a power cut. UNAVAILABLE if there is
  /// no primary.
  absl::Status KillPrimary();
  /// Starts the killed node again, and returns when it is a synchronous standby: from then on,
  /// killing the primary loses nothing.
  absl::Status Rejoin();

  /// Also contains the logs: etcd.log, a.log, b.log.
  const std::string& folder() const { return folder_; }
  void KeepFolder() { keep_folder_ = true; }

 private:
  struct Node {
    std::string name;
    int port = 0;
    int rest_port = 0;
    std::unique_ptr<process::ChildProcess> patroni;  // Null while killed.
  };

  PatroniCluster(std::string bin, std::string folder);
  absl::Status WriteConfiguration(const Node& node) const;
  absl::Status LaunchEtcd();
  absl::Status Launch(Node& node);
  static void Kill(const std::string& folder, Node& node);
  /// Waits until the Patroni of one of the nodes answers this path of its REST interface with 200.
  absl::StatusOr<std::size_t> AwaitNode(const std::string& path) const;

  const std::string bin_;
  const std::string folder_;
  bool keep_folder_ = false;
  const int etcd_port_;
  std::unique_ptr<process::ChildProcess> etcd_;
  std::array<Node, 2> nodes_;
};

}  // namespace ridestream::postgres::testing
