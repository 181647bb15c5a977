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
  /// A connection that never writes; the file must exist and be in WAL mode already.
  bool read_only = false;
  /// How long a statement waits for another connection's lock before it is UNAVAILABLE.
  std::chrono::milliseconds busy_timeout{5'000};
  /// Pages that the connection keeps in memory, in KiB.
  int cache_kib = 16 * 1024;
  /// A registered `sqlite3_vfs`; empty takes the platform's. For tests that make disks fail.
  std::string vfs = {};
};

/// A connection to a database file: WAL, synchronous = FULL (a COMMIT that returned OK is durable),
/// foreign keys checked. Movable. A connection and all that was made from it belong to one thread
/// at a time: SQLite's own locks are off. Statements must not be used after their database is gone.
class Database {
 public:
  /// Opens the file, or makes it. PERMISSION_DENIED and NOT_FOUND for a folder without rights or
  /// that isn't there; DATA_LOSS for a file that is damaged or no database at all.
  static absl::StatusOr<Database> Open(const std::string& path, const OpenOptions& options = {});

  /// A write-ahead log that grew beyond this, e.g. while a long read kept it from being taken over
  /// into the file, is truncated to this size when it restarts.
  static constexpr std::int64_t kMaxIdleWalBytes = 8 << 20;

  /// Runs one or more statements that return nothing.
  absl::Status Execute(const std::string& sql);
  /// Compiles one statement, to be run many times.
  absl::StatusOr<Statement> Prepare(const std::string& sql);

  /// Rows that the latest INSERT, UPDATE or DELETE changed.
  int changes() const;
  /// Whether a transaction is open. An I/O error may have ended it.
  bool in_transaction() const;
  const std::string& path() const { return path_; }
  /// Size of the write-ahead log's file; 0 while there is none. Thread-safe.
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
