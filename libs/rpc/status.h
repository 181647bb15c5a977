#pragma once

#include <chrono>
#include <cstddef>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "libs/rpc/elsewhere.h"
#include "libs/rpc/retry_after.h"
#include "libs/rpc/stale_term.h"

namespace ridestream::rpc {

/// Longer texts are cut. A status is sent in a header, which clients limit, and gRPC may encode a
/// non-ASCII character as up to nine bytes there.
inline constexpr std::size_t kMaxStatusTextBytes = 1'024;

/// The only conversion of our statuses to gRPC's. What WithRetryAfter, WithMarket, WithAddress and
/// MarkStaleTerm added goes into the trailing metadata of `context`. The text is cut at
/// kMaxStatusTextBytes, between characters.
grpc::Status ToGrpcStatus(const absl::Status& status, grpc::ServerContextBase* context = nullptr);

/// The answer to bytes that can't be parsed as the expected message.
grpc::Status MalformedMessage();

absl::Status FromGrpcStatus(const grpc::Status& status);
/// The reverse conversion, with the mark of MarkStaleTerm if the call's trailing metadata has it.
absl::Status FromGrpcStatus(const grpc::Status& status, const grpc::ClientContext& context);

/// The pause that a server asked for, or `otherwise`.
std::chrono::milliseconds RetryAfter(const grpc::ClientContext& context,
                                     std::chrono::milliseconds otherwise);

}  // namespace ridestream::rpc
