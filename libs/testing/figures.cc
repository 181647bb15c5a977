#include "libs/testing/figures.h"

#include <algorithm>
#include <fstream>

namespace ridestream::testing {

absl::Status WriteFigures(const nlohmann::json& figures, const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  nlohmann::json nested;
  for (const auto& [key, value] : figures.items()) {
    std::string pointer = "/" + key;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    nested[nlohmann::json::json_pointer(pointer)] = value;
  }
  std::ofstream file(path);
  file << nested.dump(2) << "\n";
  if (!file.flush()) return absl::UnavailableError("can't write " + path);
  return absl::OkStatus();
}

}  // namespace ridestream::testing
