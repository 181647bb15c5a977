#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "libs/service/service.h"

namespace ridestream::service {

/// Advice on an error from the service `peer`, for the field `advice` of a log line; empty if there
/// is none. `peer` is also the name of the flag with its address.
std::string AdviceOn(const absl::Status& status, std::string_view peer, std::string_view address);

/// The level at which to log that error: kError if it lasts until somebody changes flags.
Level LevelOf(const absl::Status& status);

}  // namespace ridestream::service
