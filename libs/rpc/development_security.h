#pragma once

#include <string>

#include "absl/status/status.h"

namespace ridestream::rpc {

/// Makes the calls of this process prove who makes them (see ClientSecurity) by the throwaway
/// authority in `folder` (see identity::DevelopmentAuthority): the certificate is loadtest's, and
/// tokens are signed as they are needed, each valid for an hour and used for half of it. An empty
/// folder undoes that. Call it before other threads start. An error names the file that can't be
/// used.
absl::Status UseDevelopmentAuthority(const std::string& folder);

}  // namespace ridestream::rpc
