#include "libs/rpc/published_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace ridestream::rpc {

PublishedFile::~PublishedFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status PublishedFile::Publish(std::string_view content) {
  const int file = memfd_create("ridestream-certificate", MFD_CLOEXEC);
  if (file < 0) return absl::ErrnoToStatus(errno, "no file in memory");
  std::string_view rest = content;
  while (!rest.empty()) {
    const ssize_t written = write(file, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      close(file);
      return absl::ErrnoToStatus(error, "a file in memory can't be written");
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (descriptor_ < 0) {
    descriptor_ = file;
    path_ = fmt::format("/proc/self/fd/{}", descriptor_);
    return absl::OkStatus();
  }
  const bool replaced = dup3(file, descriptor_, O_CLOEXEC) >= 0;
  const int error = errno;
  close(file);
  return replaced ? absl::OkStatus() : absl::ErrnoToStatus(error, "can't replace a file in memory");
}

}  // namespace ridestream::rpc
