#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace ridestream {

/// The exclusive use of a folder, among processes and within one: a lock on its file `lock`. The
/// system releases the lock when the process ends, however it ends; the file stays.
class FolderLock {
 public:
  /// The folder must exist. FAILED_PRECONDITION names the process that holds the folder.
  /// PERMISSION_DENIED without the right to write there, UNAVAILABLE if the disk is full.
  static absl::StatusOr<FolderLock> Acquire(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int file) : file_(file) {}

  int file_;
};

}  // namespace ridestream
