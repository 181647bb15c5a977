#include "libs/service/address_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace ridestream::service {

absl::Status WriteAddressFile(const std::string& path,
                              const std::map<std::string, std::string>& values) {
  const std::string whole = fmt::format("{}.{}", path, getpid());
  const auto fail = [&](int error) {
    std::remove(whole.c_str());
    return absl::PermissionDeniedError(
        fmt::format("{}: can't be written: {}", path, std::strerror(error)));
  };
  std::string text;
  for (const auto& [name, value] : values) text += fmt::format("{}={}\n", name, value);
  const int file = open(whole.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return fail(errno);
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (close(file) != 0 || !written) return fail(errno);
  if (std::rename(whole.c_str(), path.c_str()) != 0) return fail(errno);
  return absl::OkStatus();
}

std::map<std::string, std::string> ReadAddressFile(const std::string& path) {
  std::map<std::string, std::string> values;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find('=');
    if (at != std::string::npos) values[line.substr(0, at)] = line.substr(at + 1);
  }
  return values;
}

}  // namespace ridestream::service
