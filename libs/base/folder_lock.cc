#include "libs/base/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace ridestream {
namespace {

absl::Status CannotLock(const std::string& path, int error) {
  const std::string text =
      fmt::format("can't lock {}: {}", path, std::generic_category().message(error));
  if (error == EACCES || error == EPERM || error == EROFS) return absl::PermissionDeniedError(text);
  if (error == ENOSPC || error == EDQUOT) return absl::UnavailableError(text);
  return absl::FailedPreconditionError(text);
}

/// Names this process to one that finds the folder in use, which may be in another container.
std::string NameOfProcess() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return fmt::format("process {} on host {}", getpid(), host.data());
}

/// The name that the holder wrote; a holder that has just begun may not have written it yet.
std::string ReadHolder(int file) {
  std::array<char, 512> text{};
  const ssize_t bytes = pread(file, text.data(), text.size(), 0);
  return bytes > 0 ? std::string(text.data(), static_cast<std::size_t>(bytes)) : "another process";
}

}  // namespace

absl::StatusOr<FolderLock> FolderLock::Acquire(const std::string& folder) {
  const std::string path = folder + "/lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return CannotLock(path, errno);
  FolderLock lock(file);
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return CannotLock(path, errno);
    return absl::FailedPreconditionError(
        fmt::format("the folder {} is in use by {}; stop that process, or give this one a folder "
                    "of its own",
                    folder, ReadHolder(file)));
  }
  const std::string name = NameOfProcess();
  // Without the name, as on a full disk, the lock holds just as well.
  if (ftruncate(file, 0) == 0) (void)!pwrite(file, name.data(), name.size(), 0);
  return lock;
}

FolderLock::~FolderLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace ridestream
