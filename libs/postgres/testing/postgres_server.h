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

/// A PostgreSQL server in its own temporary folder, reached by a socket in that folder, so it needs
/// no port. Runs as `nobody` if this process is root, because PostgreSQL refuses to run as root.
/// Not thread-safe.
class PostgresServer {
 public:
  struct Tls {
    /// PEM files; they are copied for the server's user.
    std::string certificate;
    std::string key;
  };
  struct Options {
    /// Parent of the server's folder; empty: the system's folder for temporary files.
    std::string parent = {};
    /// Whether a commit is flushed to disk. Without it, commits survive a crash of the server but
    /// not a power cut.
    bool fsync = false;
    /// Size in MB of a small disk for a tablespace, mounted on small_disk() in the server's
    /// namespace only. It is empty after each start. 0: none. Requires root, see CanMount.
    int small_disk_mb = 0;
    /// Makes the server also accept connections on a free port of 127.0.0.1, with TLS and without.
    std::optional<Tls> tls = std::nullopt;
    /// Further settings, such as "max_connections=10".
    std::vector<std::string> settings = {};
  };

  /// Returns when the server accepts connections. NOT_FOUND, with what to install, if PostgreSQL is
  /// missing on this machine. RIDESTREAM_POSTGRES_BIN names the folder of its binaries; by default
  /// the newest version of Debian's packages is used.
  static absl::StatusOr<std::unique_ptr<PostgresServer>> Start(Options options);
  static absl::StatusOr<std::unique_ptr<PostgresServer>> Start() { return Start(Options()); }
  /// Whether this process may mount a small disk.
  static bool CanMount();
  /// Kills the server and removes its folder.
  ~PostgresServer();

  /// The URL of a database, for the server's owner or another role.
  std::string Url(const std::string& database = "ridestream", const std::string& user = kOwner,
                  const std::string& password = kPassword) const;
  /// The URL of the TCP port, for the owner, with these parameters: "sslmode=verify-full&…".
  std::string TcpUrl(const std::string& parameters) const;
  /// Executes statements as the owner.
  absl::Status Execute(const std::string& sql, const std::string& database = "ridestream");

  /// Stops the server with this signal (SIGKILL: a crash, SIGINT: a fast shutdown).
  void Stop(int signal);
  /// Sends a signal to the server and all its processes. SIGSTOP freezes them, SIGCONT resumes
  /// them.
  void SignalAll(int signal) const;
  /// Starts the server again on the same folder.
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
  /// Copies the certificate and the key for the server's user, and chooses the port.
  absl::Status SetUpTls();

  const Options options_;
  const std::string bin_;
  const std::string folder_;
  int port_ = 5432;  // Without TLS it is only part of the socket's name.
  std::vector<std::string> tls_settings_;
  std::unique_ptr<process::ChildProcess> process_;
};

}  // namespace ridestream::postgres::testing
