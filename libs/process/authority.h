#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace ridestream::process {

/// Creates a throwaway authority for all of Ridestream's programs in `folder`; see
/// identity::DevelopmentAuthority.
absl::Status MakeAuthority(const std::string& folder);

/// The flags that make a service use that authority; --insecure if `authority` is empty.
std::vector<std::string> SecurityFlags(const std::string& authority, const std::string& service);
/// The same flags for the load generator.
std::string LoadtestSecurityFlag(const std::string& authority);

}  // namespace ridestream::process
