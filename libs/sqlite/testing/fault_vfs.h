#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "libs/base/mutex.h"

namespace ridestream::sqlite::testing {

/// A disk for SQLite that fails or blocks on demand: a VFS around the platform's own. Open
/// databases with `OpenOptions::vfs = name()`, and close them before destroying it. Thread-safe.
class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }

  /// Makes each sync (or write) fail with an I/O error until it is called with false.
  void FailSyncs(bool fail);
  void FailWrites(bool fail);

  /// Leaves space for this many more bytes; then each write fails as on a full disk, until there is
  /// space again.
  void LeaveRoom(std::uint64_t bytes);
  void LeaveRoom() { LeaveRoom(std::numeric_limits<std::uint64_t>::max()); }

  /// Keeps a copy of each file as of its last sync in `folder` under the file's name: what a power
  /// cut would leave if the disk lost everything it may lose.
  void KeepSynced(const std::string& folder);

  /// Makes each sync wait for ReleaseSyncs().
  void HoldSyncs();
  /// Blocks until a thread waits in a sync.
  void AwaitHeldSync();
  void ReleaseSyncs();

  /// Called by the wrapped files; returns an SQLite result code.
  int BeforeSync();
  void AfterSync(const std::string& path);
  void AfterDelete(const std::string& path);
  int BeforeWrite(std::uint64_t bytes);

 private:
  struct Impl;
  const std::string name_;
  Impl* const impl_;  // Owned; contains SQLite's C structures, which must not move.

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
