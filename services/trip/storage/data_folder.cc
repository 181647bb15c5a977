#include "services/trip/storage/data_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

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
  const std::string lock_path = path + "/lock";
  const int lock_file = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivateFile);
  if (lock_file < 0) {
    return FromErrno(errno, fmt::format("can't write into the data folder {}", path));
  }
  DataFolder folder(path, lock_file);
  if (flock(lock_file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FromErrno(errno, fmt::format("can't lock {}", lock_path));
    return absl::FailedPreconditionError(fmt::format(
        "the data folder {} is in use by another process; give each service its own", path));
  }
  // SQLite gives the files that it makes beside the database the same mode, and leaves those that
  // an older version has left behind as they are.
  absl::Status status = MakePrivateFile(folder.database_path(), O_CREAT);
  for (const char* beside : {"-wal", "-shm"}) {
    if (status.ok()) status = MakePrivateFile(folder.database_path() + beside, 0);
  }
  if (!status.ok()) return status;
  return folder;
}

DataFolder::~DataFolder() {
  if (lock_file_ >= 0) close(lock_file_);
}

}  // namespace ridestream::trip
