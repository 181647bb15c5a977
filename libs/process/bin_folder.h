#pragma once

#include <string>

namespace ridestream::process {

/// The meaning of the flag --bin: `folder`, or the folder of the running program where it is empty.
/// Ridestream's binaries lie in one folder.
std::string BinFolder(const std::string& folder);

}  // namespace ridestream::process
