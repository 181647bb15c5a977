#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ridestream::process {

/// A command that has ended.
struct Finished {
  /// The status of waitpid; see DescribeWaitStatus.
  int wait_status = 0;
  /// The command's stdout; its stderr too if the command redirects it by 2>&1.
  std::string output;
};

/// Runs a shell command and waits for its end. INTERNAL if the shell can't be started.
absl::StatusOr<Finished> RunCommand(const std::string& command);

}  // namespace ridestream::process
