#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "libs/service/service.h"

namespace ridestream::service {

/// What to do about an error that the service `peer` returned, for the field `advice` of a log
/// line; empty if nothing is known. `peer` is also the name of the flag with its address.
std::string AdviceOn(const absl::Status& status, std::string_view peer, std::string_view address);

/// The level of a log line about that error: kError if it stays until somebody changes flags.
Level LevelOf(const absl::Status& status);

}  // namespace ridestream::service
