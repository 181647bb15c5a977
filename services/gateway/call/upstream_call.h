#pragma once

#include <memory>

#include "services/gateway/call/call.h"
#include "services/gateway/call/services.h"

namespace ridestream::gateway {

/// Begins a call that forwards messages unchanged; see StartCall.
std::shared_ptr<Call> StartUpstreamCall(const Method& method, const CallOptions& options,
                                        CallEvents events);

}  // namespace ridestream::gateway
