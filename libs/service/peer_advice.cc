#include "libs/service/peer_advice.h"

#include <fmt/format.h>

namespace ridestream::service {

std::string AdviceOn(const absl::Status& status, std::string_view peer, std::string_view address) {
  switch (status.code()) {
    case absl::StatusCode::kFailedPrecondition:
      return fmt::format("give --markets only markets that {} at --{}={} serves", peer, peer,
                         address);
    case absl::StatusCode::kUnimplemented:
      return fmt::format("--{}={} is another service; give the address of {}", peer, address, peer);
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return fmt::format("check --{}={}, and whether {} is running", peer, address, peer);
    default:
      return "";
  }
}

Level LevelOf(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsUnimplemented(status) ? Level::kError
                                                                             : Level::kWarning;
}

}  // namespace ridestream::service
