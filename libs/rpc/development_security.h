#pragma once

#include <string>

#include "absl/status/status.h"

namespace ridestream::rpc {

/// Makes this process's calls prove their caller's identity (see ClientSecurity) by the throwaway
/// authority in `folder` (see identity::DevelopmentAuthority). The certificate is loadtest's.
/// Tokens are signed on demand, each valid for an hour and used for half of it. An empty folder
/// restores the default. Must be called before other threads start. The error names the file that
/// can't be used.
absl::Status UseDevelopmentAuthority(const std::string& folder);

}  // namespace ridestream::rpc
