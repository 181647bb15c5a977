#pragma once

#include <memory>

#include "services/gateway/call/call.h"
#include "services/gateway/call/services.h"
#include "services/gateway/viewers/anonymizer.h"

namespace ridestream::gateway {

/// Begins a call for a caller who may see no names: requests may name drivers only by their
/// pseudonyms, and answers contain no names. `anonymizer` must outlive the call. Otherwise like
/// StartCall.
std::shared_ptr<Call> StartAnonymousCall(const Method& method, const CallOptions& options,
                                         const Anonymizer& anonymizer, CallEvents events);

}  // namespace ridestream::gateway
