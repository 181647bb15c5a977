#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/child_process.h"

namespace ridestream::postgres::testing {

/// The folder of PostgreSQL's server binaries: RIDESTREAM_POSTGRES_BIN, or the newest of Debian's.
/// NOT_FOUND, with what to install, when there is none.
absl::StatusOr<std::string> FindPostgresBinaries();

/// A program that runs as `nobody` when this process is root, since PostgreSQL refuses root. It is
/// sent the signal of that name when the thread that starts it ends, also when a test aborts.
process::ChildProcess::Options AsServerUser(const std::string& binary,
                                            std::vector<std::string> arguments,
                                            const std::string& log_path,
                                            const std::string& last_signal = "QUIT");

/// Runs a program to its end. INTERNAL, with the end of its log, when it doesn't exit with 0.
absl::Status RunToItsEnd(const process::ChildProcess::Options& options);

/// Makes a folder of that user's below `parent`; an absolute path.
absl::StatusOr<std::string> MakeServerFolder(const std::string& parent);

}  // namespace ridestream::postgres::testing
