#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/base/folder_lock.h"

namespace ridestream::trip {

/// The folder that a trip service owns while it runs. No second process can have it, since each
/// would miss the other's events. The system releases it when the process ends, however it ends.
class DataFolder {
 public:
  /// Creates the folder if it is missing, accessible to the process's user only, and the database's
  /// files, which nobody else can read whatever the folder's mode is. PERMISSION_DENIED without the
  /// rights, FAILED_PRECONDITION if another process holds the folder or the path isn't a folder.
  static absl::StatusOr<DataFolder> Acquire(const std::string& path);

  std::string database_path() const { return path_ + "/trips.db"; }

 private:
  DataFolder(std::string path, FolderLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  FolderLock lock_;
};

}  // namespace ridestream::trip
