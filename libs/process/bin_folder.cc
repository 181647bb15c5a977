#include "libs/process/bin_folder.h"

#include <filesystem>

namespace ridestream::process {

std::string BinFolder(const std::string& folder) {
  if (!folder.empty()) return folder;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

}  // namespace ridestream::process
