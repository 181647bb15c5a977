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

/// Returns the request headers that are forwarded as the call's metadata: `ridestream-caller`,
/// `ridestream-market`, `authorization`, `traceparent` and `tracestate`, in total at most 4 KiB. No
/// other name reaches gRPC. UNAUTHENTICATED if a field that names the caller occurs twice.
/// INVALID_ARGUMENT, with the field's name, if another of these fields occurs twice, is too long,
/// or has a value that gRPC can't carry.
absl::StatusOr<Headers> MetadataFromHeaders(const Headers& headers);

/// Returns the options of a call from the headers of its request: MetadataFromHeaders,
/// TimeoutFromHeaders, the class of its caller, and the request's id from `x-request-id`, or a new
/// id if the header has none that the services accept. INVALID_ARGUMENT also if a field that may
/// occur once occurs twice.
absl::StatusOr<CallOptions> CallOptionsFromHeaders(const Headers& headers);

/// Converts a call's metadata to header fields. `-bin` values become base64.
Headers HeadersFromMetadata(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

/// Returns the timeout in `grpc-timeout` ("1500m": at most 8 digits, then H, M, S, m, u or n), or
/// nullopt without this field. INVALID_ARGUMENT for any other value.
absl::StatusOr<std::optional<std::chrono::nanoseconds>> TimeoutFromHeaders(const Headers& headers);

}  // namespace ridestream::gateway
