#include "libs/identity/reloaded_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "libs/service/service.h"

namespace ridestream::identity {

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes) {
  const auto failed = [] { return absl::ErrnoToStatus(errno, "can't be read"); };
  // O_NONBLOCK, because opening a pipe would wait for its writer.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return failed();
  std::string content;
  char buffer[16 << 10];
  absl::Status status;
  while (true) {
    const ssize_t got = read(file, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) status = failed();
    if (got <= 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > max_bytes) {
      status = absl::ResourceExhaustedError(fmt::format("is longer than {} bytes", max_bytes));
      break;
    }
  }
  close(file);
  if (!status.ok()) return status;
  return content;
}

void LogReload(const std::string& path, const absl::Status& status) {
  if (status.ok()) {
    service::Log(service::Level::kInfo, "file_reloaded", {{"path", path}});
  } else {
    service::Log(service::Level::kError, "file_not_reloaded",
                 {{"path", path}, {"reason", std::string(status.message())}});
  }
}

}  // namespace ridestream::identity
