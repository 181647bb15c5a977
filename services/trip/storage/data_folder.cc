#include "services/trip/storage/data_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace ridestream::trip {
namespace {

absl::Status FromErrno(int error, const std::string& what) {
  const std::string text = fmt::format("{}: {}", what, std::strerror(error));
  if (error == EACCES || error == EPERM || error == EROFS) return absl::PermissionDeniedError(text);
  if (error == ENOSPC || error == EDQUOT) return absl::UnavailableError(text);
  return absl::FailedPreconditionError(text);
}

// Trips tell who was where and when: for the owner alone.
constexpr mode_t kPrivateFile = S_IRUSR | S_IWUSR;

/// A folder that is there keeps its mode: others may have a reason to look into it.
absl::Status MakePrivateFolder(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::create_directories(path, error) && !error) return absl::OkStatus();
  if (!error) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  if (!error) return absl::OkStatus();
  return FromErrno(error.value(), fmt::format("can't make the data folder {}", path));
}

absl::Status MakePrivateFile(const std::string& path, int flags) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | flags, kPrivateFile);
  if (file < 0 && errno == ENOENT) return absl::OkStatus();
  const bool is_private = file >= 0 && fchmod(file, kPrivateFile) == 0;
  const int error = errno;
  if (file >= 0) close(file);
  if (is_private) return absl::OkStatus();
  return FromErrno(error, fmt::format("can't make {} private", path));
}

}  // namespace

absl::StatusOr<DataFolder> DataFolder::Acquire(const std::string& path) {
  if (absl::Status status = MakePrivateFolder(path); !status.ok()) return status;
  absl::StatusOr<FolderLock> lock = FolderLock::Acquire(path);
  if (!lock.ok()) return lock.status();
  DataFolder folder(path, *std::move(lock));
  // SQLite gives the files that it makes beside the database the same mode, and leaves those that
  // an older version has left behind as they are.
  absl::Status status = MakePrivateFile(folder.database_path(), O_CREAT);
  for (const char* beside : {"-wal", "-shm"}) {
    if (status.ok()) status = MakePrivateFile(folder.database_path() + beside, 0);
  }
  if (!status.ok()) return status;
  return folder;
}

}  // namespace ridestream::trip
