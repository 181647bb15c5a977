#include "libs/process/run_command.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/status/status.h"

namespace ridestream::process {

absl::StatusOr<Finished> RunCommand(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return absl::InternalError(command + ": " + std::strerror(errno));
  Finished finished;
  std::array<char, 4096> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    finished.output.append(buffer.data(), size);
  }
  finished.wait_status = pclose(pipe);
  return finished;
}

}  // namespace ridestream::process
