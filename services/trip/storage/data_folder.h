#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace ridestream::trip {

/// The folder that a trip service owns while it runs: no second process can have it, since each
/// would miss the other's events. The system frees it when the process ends, however it ends.
class DataFolder {
 public:
  /// Makes the folder where it is missing, for the process's user alone, and the database's files,
  /// which nobody else can read whatever the folder's mode is. PERMISSION_DENIED without rights;
  /// FAILED_PRECONDITION when another process has it, or it isn't a folder.
  static absl::StatusOr<DataFolder> Acquire(const std::string& path);
  DataFolder(DataFolder&& other) noexcept
      : path_(std::move(other.path_)), lock_file_(std::exchange(other.lock_file_, -1)) {}
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  std::string database_path() const { return path_ + "/trips.db"; }

 private:
  DataFolder(std::string path, int lock_file) : path_(std::move(path)), lock_file_(lock_file) {}

  std::string path_;
  int lock_file_;
};

}  // namespace ridestream::trip
