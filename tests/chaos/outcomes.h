#pragma once

#include <vector>

#include "absl/status/status.h"

/// Helpers for the ends of this folder's programs.
namespace ridestream::chaos {

/// Whether SIGTERM or SIGINT arrived; consumes the signal. For CityProcess::Stopped.
bool StopAsked();

/// Prints each error. Returns the exit status: 0 if there is none, otherwise 1.
int ExitStatusOf(const std::vector<absl::Status>& outcomes);

}  // namespace ridestream::chaos
