#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/sqlite/statement.h"

struct sqlite3;

namespace ridestream::sqlite {

struct OpenOptions {
  /// The connection never writes; the file must exist and already be in WAL mode.
  bool read_only = false;
  /// How long a statement waits for another connection's lock before it fails with UNAVAILABLE.
  std::chrono::milliseconds busy_timeout{5'000};
  /// Size of the connection's page cache in KiB.
  int cache_kib = 16 * 1024;
  /// The name of a registered `sqlite3_vfs`; empty: the platform's. For tests that simulate disk
  /// failures.
  std::string vfs = {};
};

/// A connection to a database file with a WAL, synchronous = FULL (a COMMIT that returned OK is
/// durable) and foreign keys checked. Movable. A connection and all its statements belong to one
/// thread at a time: SQLite's own locks are off. Statements must not be used after their database
/// has been destroyed.
class Database {
 public:
  /// Opens or creates the file. PERMISSION_DENIED or NOT_FOUND for a folder that isn't accessible
  /// or doesn't exist; DATA_LOSS for a file that is damaged or isn't a database.
  static absl::StatusOr<Database> Open(const std::string& path, const OpenOptions& options = {});

  /// A write-ahead log that has grown beyond this size, e.g. because a long read delayed its
  /// checkpoint, is truncated to this size when it restarts.
  static constexpr std::int64_t kMaxIdleWalBytes = 8 << 20;

  /// Executes one or more statements that return nothing.
  absl::Status Execute(const std::string& sql);
  /// Compiles one statement that can be executed many times.
  absl::StatusOr<Statement> Prepare(const std::string& sql);

  /// Number of rows that the latest INSERT, UPDATE or DELETE changed.
  int changes() const;
  /// Whether a transaction is open. An I/O error may have ended it.
  bool in_transaction() const;
  const std::string& path() const { return path_; }
  /// Size of the write-ahead log file; 0 if there is none. Thread-safe.
  std::uint64_t WalBytes() const;

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  Database(std::string path, std::unique_ptr<sqlite3, Closer> handle)
      : path_(std::move(path)), handle_(std::move(handle)) {}

  absl::Status Configure(const OpenOptions& options);

  std::string path_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

}  // namespace ridestream::sqlite
