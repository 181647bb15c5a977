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

/// A primary and its synchronous standby on this machine, watched by Patroni over etcd: when the
/// primary is gone the standby takes its place. Each has a folder and free ports of its own below
/// folder(). Runs as `nobody` when this process is root. Used by one thread.
class PatroniCluster {
 public:
  /// Returns when the standby is synchronous. NOT_FOUND, with what to install, when there is no
  /// PostgreSQL, Patroni or etcd on this machine.
  static absl::StatusOr<std::unique_ptr<PatroniCluster>> Start();
  /// Kills all and removes the folder.
  ~PatroniCluster();

  /// Names both servers, and leads to the one that takes writes.
  std::string Url(const std::string& database = "ridestream") const;

  /// Kills the primary as a power cut would: its Patroni and its server, by SIGKILL. UNAVAILABLE
  /// when there is no primary.
  absl::Status KillPrimary();
  /// Starts the killed node again, and returns when it is a synchronous standby: from then on the
  /// primary may be killed without loss.
  absl::Status Rejoin();

  /// Holds the logs too: etcd.log, a.log, b.log.
  const std::string& folder() const { return folder_; }
  void KeepFolder() { keep_folder_ = true; }

 private:
  struct Node {
    std::string name;
    int port = 0;
    int rest_port = 0;
    std::unique_ptr<process::ChildProcess> patroni;  // Null while it is killed.
  };

  PatroniCluster(std::string bin, std::string folder);
  absl::Status WriteConfiguration(const Node& node) const;
  absl::Status LaunchEtcd();
  absl::Status Launch(Node& node);
  static void Kill(const std::string& folder, Node& node);
  /// Waits until Patroni of one of the nodes answers this path of its REST interface with 200.
  absl::StatusOr<std::size_t> AwaitNode(const std::string& path) const;

  const std::string bin_;
  const std::string folder_;
  bool keep_folder_ = false;
  const int etcd_port_;
  std::unique_ptr<process::ChildProcess> etcd_;
  std::array<Node, 2> nodes_;
};

}  // namespace ridestream::postgres::testing
