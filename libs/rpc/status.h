#pragma once

#include <chrono>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "libs/rpc/retry_after.h"

namespace ridestream::rpc {

/// The one place where a status of ours becomes a status of gRPC. A pause put on by WithRetryAfter
/// goes into `context`'s trailing metadata.
grpc::Status ToGrpcStatus(const absl::Status& status, grpc::ServerContextBase* context = nullptr);

absl::Status FromGrpcStatus(const grpc::Status& status);

/// The pause that a server asked for, or `otherwise`.
std::chrono::milliseconds RetryAfter(const grpc::ClientContext& context,
                                     std::chrono::milliseconds otherwise);

}  // namespace ridestream::rpc
