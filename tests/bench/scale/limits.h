#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ridestream::bench {

/// What a machine lets processes have.
struct Machine {
  std::uint64_t open_files = 0;       ///< The hard limit of one process.
  std::uint64_t ports = 0;            ///< For outgoing connections from one address to one port.
  std::uint64_t available_bytes = 0;  ///< Memory that can be used without swapping.
};

/// INTERNAL when /proc can't be read.
absl::StatusOr<Machine> ThisMachine();

/// RESOURCE_EXHAUSTED unless the machine has what `drivers` in `markets` take, with the load
/// generators: the message says what is too low and how to raise it.
absl::Status CheckLimits(int drivers, int markets, const Machine& machine);

}  // namespace ridestream::bench
