#pragma once

#include "absl/flags/declare.h"
#include "absl/status/statusor.h"
#include "libs/rpc/server.h"

ABSL_DECLARE_FLAG(double, max_calls_per_s);

namespace ridestream::rpc {

/// Server options from the flags that all services have: --max_message_bytes,
/// --max_streams_per_connection, --grpc_max_connections, --grpc_max_connections_per_address and
/// --grpc_memory_mib. A server that doesn't answer its own probes any more ends the process, for
/// whoever restarts it. Call it after service::Initialize, which raises the limit of open files.
/// INVALID_ARGUMENT names the flag that is out of its range; --max_calls_per_s, which is for a
/// LimitingAuthenticator, is checked as well.
absl::StatusOr<ServerOptions> ServerOptionsFromFlags();

}  // namespace ridestream::rpc
