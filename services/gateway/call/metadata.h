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

/// What of a request's header goes on as the call's metadata: all but what belongs to HTTP, to the
/// browser or to gRPC itself, and the request's id. `-bin` values are decoded. INVALID_ARGUMENT
/// names a field that gRPC can't carry.
absl::StatusOr<Headers> MetadataFromHeaders(const Headers& headers);

/// The options of a call, by the header of the request for it: MetadataFromHeaders,
/// TimeoutFromHeaders, and the request's id from `x-request-id`, or a new one if there is none that
/// the services would take.
absl::StatusOr<CallOptions> CallOptionsFromHeaders(const Headers& headers);

/// A call's metadata as fields of a header; `-bin` values become base64.
Headers HeadersFromMetadata(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

/// The call's time from `grpc-timeout` ("1500m": at most 8 digits, then H, M, S, m, u or n);
/// nothing if the field isn't there. INVALID_ARGUMENT when it is something else.
absl::StatusOr<std::optional<std::chrono::nanoseconds>> TimeoutFromHeaders(const Headers& headers);

}  // namespace ridestream::gateway
