#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"

namespace ridestream::service {

/// The file by which a service announces its addresses (--address_file): one NAME=VALUE per line,
/// including `address`. It is replaced atomically, so that a reader never sees a part of it, and
/// only its owner may read it, because the gateway's contains a one-time code.

/// Replaces `path`. PERMISSION_DENIED, with the path and the reason, if it can't be written.
absl::Status WriteAddressFile(const std::string& path,
                              const std::map<std::string, std::string>& values);

/// Empty if the file doesn't exist or is still empty.
std::map<std::string, std::string> ReadAddressFile(const std::string& path);

}  // namespace ridestream::service
