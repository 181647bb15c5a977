#pragma once

#include <stdlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ridestream::fuzz {

/// A file in memory that holds one input after the other, for readers that take a path. Goes with
/// the object.
class InputFile {
 public:
  InputFile() {
    folder_ = "/dev/shm/ridestream-fuzz-XXXXXX";
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~InputFile() {
    std::error_code ignored;  // A folder left there harms nobody.
    std::filesystem::remove_all(folder_, ignored);
  }

  /// Returns the file's path, which ends with `name`.
  std::string Write(const std::string& name, const std::uint8_t* data, std::size_t size) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    if (!file.flush()) std::abort();
    return path;
  }

 private:
  std::string folder_;
};

}  // namespace ridestream::fuzz
