#pragma once

#include "absl/flags/declare.h"
#include "libs/rpc/server.h"

ABSL_DECLARE_FLAG(double, max_calls_per_s);

namespace ridestream::rpc {

/// Server options from the flags that all services have: --max_message_bytes,
/// --max_streams_per_connection, --grpc_max_connections, --grpc_max_connections_per_address and
/// --grpc_memory_mib. A server that doesn't answer its own probes any more ends the process, so
/// that a supervisor restarts it. Call it after service::Initialize, which raises the limit of open
/// files. --max_calls_per_s is for a LimitingAuthenticator.
ServerOptions ServerOptionsFromFlags();

}  // namespace ridestream::rpc
