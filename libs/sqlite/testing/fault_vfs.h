#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "libs/base/mutex.h"

namespace ridestream::sqlite::testing {

/// A disk for SQLite that fails or waits on demand: SQLite's file system layer, wrapped around the
/// platform's own. Open databases with `OpenOptions::vfs = name()`, and close them before it goes.
/// Thread-safe.
class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }

  /// From now on each sync (or write) is an I/O error, until it is set back.
  void FailSyncs(bool fail);
  void FailWrites(bool fail);

  /// The disk has space for this many more bytes; then each write fails as on a full disk, until
  /// there is room again.
  void LeaveRoom(std::uint64_t bytes);
  void LeaveRoom() { LeaveRoom(std::numeric_limits<std::uint64_t>::max()); }

  /// From now on each file's content as of its last sync is kept in `folder` under the file's name:
  /// what a power cut would leave, if the disk lost all that it may.
  void KeepSynced(const std::string& folder);

  /// From now on each sync waits for ReleaseSyncs().
  void HoldSyncs();
  /// Blocks until some thread waits in a sync.
  void AwaitHeldSync();
  void ReleaseSyncs();

  /// For the wrapped files: a result code of SQLite.
  int BeforeSync();
  void AfterSync(const std::string& path);
  void AfterDelete(const std::string& path);
  int BeforeWrite(std::uint64_t bytes);

 private:
  struct Impl;
  const std::string name_;
  Impl* const impl_;  // Owned; SQLite's C structures, which must not move.

  Mutex mu_;
  CondVar changed_;
  bool fail_syncs_ ABSL_GUARDED_BY(mu_) = false;
  bool fail_writes_ ABSL_GUARDED_BY(mu_) = false;
  std::uint64_t room_ ABSL_GUARDED_BY(mu_) = std::numeric_limits<std::uint64_t>::max();
  std::string synced_folder_ ABSL_GUARDED_BY(mu_);
  bool hold_syncs_ ABSL_GUARDED_BY(mu_) = false;
  int held_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::sqlite::testing
