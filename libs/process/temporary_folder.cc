#include "libs/process/temporary_folder.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"

namespace ridestream::process {

absl::StatusOr<TemporaryFolder> TemporaryFolder::Make() {
  TemporaryFolder folder;
  std::string path = std::filesystem::temp_directory_path() / "ridestream-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(
        errno,
        fmt::format("can't make the folder {}; TMPDIR names the folder to make it in", path));
  }
  folder.path_ = std::move(path);
  return folder;
}

TemporaryFolder::~TemporaryFolder() {
  if (path_.empty() || is_kept_) return;
  std::error_code ignored;  // A folder left in /tmp is harmless.
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace ridestream::process
