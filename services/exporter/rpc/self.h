#pragma once

#include "libs/rpc/caller.h"

namespace ridestream::exporter {

/// The exporter's identity as a caller of other services.
inline const rpc::Caller kSelf{rpc::CallerKind::kService, "exporter"};

}  // namespace ridestream::exporter
