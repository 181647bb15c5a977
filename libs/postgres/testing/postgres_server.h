#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/postgres/connection.h"
#include "libs/process/child_process.h"

namespace ridestream::postgres::testing {

/// A PostgreSQL server in a temporary folder of its own, reached by a socket in that folder, so
/// that it needs no port. Runs as `nobody` when this process is root, since the server refuses
/// root. Not thread-safe.
class PostgresServer {
 public:
  struct Tls {
    /// PEM files, which are copied for the server's user.
    std::string certificate;
    std::string key;
  };
  struct Options {
    /// Where the folder is made; empty: the system's folder for temporary files.
    std::string parent = {};
    /// Whether a commit reaches the disk. Without it a commit outlives the server's processes, but
    /// not the machine's power.
    bool fsync = false;
    /// A small disk of this many MB for a tablespace, mounted on small_disk() where only the server
    /// sees it; it is empty after each start. 0: none. Takes root, see CanMount.
    int small_disk_mb = 0;
    /// With it the server also takes connections, with TLS and without, on a free port of
    /// 127.0.0.1.
    std::optional<Tls> tls = std::nullopt;
    /// Further settings: "max_connections=10", …
    std::vector<std::string> settings = {};
  };

  /// Returns when the server takes connections. NOT_FOUND, with what to install, when there is no
  /// PostgreSQL on this machine. RIDESTREAM_POSTGRES_BIN names the folder of its binaries; else the
  /// newest of Debian's is taken.
  static absl::StatusOr<std::unique_ptr<PostgresServer>> Start(Options options);
  static absl::StatusOr<std::unique_ptr<PostgresServer>> Start() { return Start(Options()); }
  /// Whether this process may mount a small disk.
  static bool CanMount();
  /// Kills the server and removes its folder.
  ~PostgresServer();

  /// The URL of a database, for the server's owner or another role.
  std::string Url(const std::string& database = "ridestream", const std::string& user = kOwner,
                  const std::string& password = kPassword) const;
  /// The URL of the port, for the owner, with these parameters: "sslmode=verify-full&…".
  std::string TcpUrl(const std::string& parameters) const;
  /// Runs statements as the owner.
  absl::Status Execute(const std::string& sql, const std::string& database = "ridestream");

  /// Ends the server with this signal (SIGKILL: a crash, SIGINT: it closes all connections).
  void Stop(int signal);
  /// Sends a signal to the server and all its processes: SIGSTOP freezes them, SIGCONT ends that.
  void SignalAll(int signal) const;
  /// Starts it again on the same folder.
  absl::Status Restart();
  const process::ChildProcess& process() const { return *process_; }
  const std::string& folder() const { return folder_; }
  std::string small_disk() const { return folder_ + "/small"; }
  /// The folder of PostgreSQL's binaries (pgbench, psql).
  const std::string& bin() const { return bin_; }

  static constexpr char kOwner[] = "ridestream";
  static constexpr char kPassword[] = "secret";

 private:
  PostgresServer(Options options, std::string bin, std::string folder)
      : options_(std::move(options)), bin_(std::move(bin)), folder_(std::move(folder)) {}
  /// Gives the server's user the certificate and the key, and notes where to listen.
  absl::Status SetUpTls();

  const Options options_;
  const std::string bin_;
  const std::string folder_;
  int port_ = 5432;  // Without TLS it only names the socket.
  std::vector<std::string> tls_settings_;
  std::unique_ptr<process::ChildProcess> process_;
};

}  // namespace ridestream::postgres::testing
