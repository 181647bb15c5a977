#include "services/trip/storage/data_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
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

}  // namespace

absl::StatusOr<DataFolder> DataFolder::Acquire(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return FromErrno(error.value(), fmt::format("can't make the data folder {}", path));
  const std::string lock_path = path + "/lock";
  const int lock_file = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_file < 0) {
    return FromErrno(errno, fmt::format("can't write into the data folder {}", path));
  }
  DataFolder folder(path, lock_file);
  if (flock(lock_file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FromErrno(errno, fmt::format("can't lock {}", lock_path));
    return absl::FailedPreconditionError(fmt::format(
        "the data folder {} is in use by another process; give each service its own", path));
  }
  return folder;
}

DataFolder::~DataFolder() {
  if (lock_file_ >= 0) close(lock_file_);
}

}  // namespace ridestream::trip
