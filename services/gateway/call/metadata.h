#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "grpcpp/support/string_ref.h"
#include "services/gateway/call/call.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// The fields of a request's header that go on as the call's metadata: `ridestream-caller`,
/// `ridestream-market`, `authorization`, `traceparent` and `tracestate`, in all at most 4 KiB. No
/// other name reaches gRPC. UNAUTHENTICATED when who calls is said twice; INVALID_ARGUMENT names a
/// field that comes twice otherwise, is too long, or that gRPC can't carry.
absl::StatusOr<Headers> MetadataFromHeaders(const Headers& headers);

/// The options of a call, by the header of the request for it: MetadataFromHeaders,
/// TimeoutFromHeaders, the class of its caller, and the request's id from `x-request-id`, or a new
/// one if there is none that the services would take. INVALID_ARGUMENT also names a field that may
/// come once and comes twice.
absl::StatusOr<CallOptions> CallOptionsFromHeaders(const Headers& headers);

/// A call's metadata as fields of a header; `-bin` values become base64.
Headers HeadersFromMetadata(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

/// The call's time from `grpc-timeout` ("1500m": at most 8 digits, then H, M, S, m, u or n);
/// nothing if the field isn't there. INVALID_ARGUMENT when it is something else.
absl::StatusOr<std::optional<std::chrono::nanoseconds>> TimeoutFromHeaders(const Headers& headers);

}  // namespace ridestream::gateway
