#pragma once

#include <string>

namespace ridestream::process {

/// The value of the flag --bin: `folder`, or if it is empty the folder of the running program. All
/// of Ridestream's binaries are in one folder.
std::string BinFolder(const std::string& folder);

}  // namespace ridestream::process
