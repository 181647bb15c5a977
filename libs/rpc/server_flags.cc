#include "libs/rpc/server_flags.h"

#include "absl/flags/flag.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"

RIDESTREAM_RANGED_FLAG(int, max_message_bytes, 1 << 20,
                       "Largest message that the server reads, in bytes. A larger message ends its "
                       "call with RESOURCE_EXHAUSTED",
                       1'024, 64 << 20);
RIDESTREAM_RANGED_FLAG(
    int, max_streams_per_connection, 100,
    "Concurrent calls and streams on one connection. The client's next call waits until one ends",
    1, 1'000'000);
RIDESTREAM_RANGED_FLAG(
    size_t, grpc_max_connections, 20'000,
    "Connections to the gRPC port. Connections beyond are closed at once. The limit is lower if "
    "the process may open fewer files: 64 of them are reserved for other uses",
    2, 10'000'000);
RIDESTREAM_RANGED_FLAG(
    size_t, grpc_max_connections_per_address, 2'000,
    "Connections from one IPv4 address or one IPv6 /64 network, at most half of all connections. "
    "Raise it behind a proxy, which uses one address for all its clients",
    1, 10'000'000);
RIDESTREAM_RANGED_FLAG(size_t, grpc_memory_mib, 0,
                       "Memory for the connections of the gRPC port and for what is read from "
                       "them, in MiB. When more is in use, gRPC reads less and ends streams. 0: a "
                       "quarter of the memory of the machine or container",
                       0, 1 << 20);
RIDESTREAM_RANGED_FLAG(
    double, max_calls_per_s, 50,
    "Calls per second for each rider or driver, with bursts of twice as many. Calls beyond fail "
    "with RESOURCE_EXHAUSTED and retry-after-ms. A stream counts as one call. 0: no limit",
    0, 1e6);

namespace ridestream::rpc {

ServerOptions ServerOptionsFromFlags() {
  ServerOptions options;
  options.max_message_bytes = absl::GetFlag(FLAGS_max_message_bytes);
  options.max_streams_per_connection = absl::GetFlag(FLAGS_max_streams_per_connection);
  options.connections = std::make_shared<ConnectionTable>(
      WithinDescriptors({.in_all = absl::GetFlag(FLAGS_grpc_max_connections),
                         .per_address = absl::GetFlag(FLAGS_grpc_max_connections_per_address)}));
  options.memory_bytes = absl::GetFlag(FLAGS_grpc_memory_mib) << 20;
  options.on_deaf = [](const absl::Status& status) {
    service::EndProcess("deaf", {{"error", status.ToString()}});
  };
  return options;
}

}  // namespace ridestream::rpc
