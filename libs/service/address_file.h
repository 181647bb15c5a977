#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"

namespace ridestream::service {

/// The file by which a service announces where it serves (--address_file): one NAME=VALUE a line,
/// `address` among them. It is written whole, so that a reader never sees half of it, and only its
/// owner may read it, since the gateway announces a one-time code by it.

/// Replaces `path`. PERMISSION_DENIED, with the path and the reason, when it can't be written.
absl::Status WriteAddressFile(const std::string& path,
                              const std::map<std::string, std::string>& values);

/// Empty when there is no such file, or nothing in it yet.
std::map<std::string, std::string> ReadAddressFile(const std::string& path);

}  // namespace ridestream::service
