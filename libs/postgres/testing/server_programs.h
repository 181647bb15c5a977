#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/child_process.h"

namespace ridestream::postgres::testing {

/// The folder of PostgreSQL's server binaries: RIDESTREAM_POSTGRES_BIN, or the newest version of
/// Debian's packages. NOT_FOUND, with what to install, if there is none.
absl::StatusOr<std::string> FindPostgresBinaries();

/// Options of a program that runs as `nobody` if this process is root, because PostgreSQL refuses
/// to run as root. The program gets the named signal when the thread that started it ends, also
/// when a test aborts.
process::ChildProcess::Options AsServerUser(const std::string& binary,
                                            std::vector<std::string> arguments,
                                            const std::string& log_path,
                                            const std::string& last_signal = "QUIT");

/// Runs a program and waits for its end. INTERNAL, with the end of its log, unless it exits with 0.
absl::Status RunToItsEnd(const process::ChildProcess::Options& options);

/// Makes a folder of that user below `parent`; returns an absolute path.
absl::StatusOr<std::string> MakeServerFolder(const std::string& parent);

}  // namespace ridestream::postgres::testing
