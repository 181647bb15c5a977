#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ridestream::process {

/// A command that has ended.
struct Finished {
  /// The status of waitpid; see DescribeWaitStatus.
  int wait_status = 0;
  /// All that it wrote to stdout; to stderr as well where the command says 2>&1.
  std::string output;
};

/// Runs a command of the shell and waits for its end. INTERNAL when no shell can be started.
absl::StatusOr<Finished> RunCommand(const std::string& command);

}  // namespace ridestream::process
