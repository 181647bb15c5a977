#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace ridestream::process {

/// A fresh folder below the system's one for temporary files, removed with all that it holds when
/// the object goes, unless it is kept.
class TemporaryFolder {
 public:
  /// Owns no folder; path() is empty.
  TemporaryFolder() = default;
  /// PERMISSION_DENIED and the like if the folder can't be made.
  static absl::StatusOr<TemporaryFolder> Make();
  TemporaryFolder(TemporaryFolder&& other) noexcept
      : path_(std::exchange(other.path_, "")), is_kept_(other.is_kept_) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(is_kept_, other.is_kept_);
    return *this;
  }
  ~TemporaryFolder();

  const std::string& path() const { return path_; }
  /// Leaves the folder there.
  void Keep() { is_kept_ = true; }

 private:
  std::string path_;
  bool is_kept_ = false;
};

}  // namespace ridestream::process
