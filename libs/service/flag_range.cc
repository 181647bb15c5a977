#include "libs/service/flag_range.h"

#include <utility>
#include <vector>

namespace ridestream::service {
namespace {

/// Created by the first flag, because flags are defined before main in unspecified order.
std::vector<std::function<absl::Status()>>& Checks() {
  static auto& checks = *new std::vector<std::function<absl::Status()>>();
  return checks;
}

}  // namespace

bool AddFlagCheck(std::function<absl::Status()> check) {
  Checks().push_back(std::move(check));
  return true;
}

absl::Status CheckFlagRanges() {
  for (const auto& check : Checks()) {
    if (absl::Status status = check(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ridestream::service
