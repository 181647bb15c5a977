#pragma once

#include <vector>

#include "absl/status/status.h"

/// What the programs of this folder share at their end.
namespace ridestream::chaos {

/// Whether SIGTERM or SIGINT came, which is then consumed. For CityProcess::Stopped.
bool StopAsked();

/// Prints each outcome that is an error. Returns the exit status: 0 if none is, otherwise 1.
int ExitStatusOf(const std::vector<absl::Status>& outcomes);

}  // namespace ridestream::chaos
