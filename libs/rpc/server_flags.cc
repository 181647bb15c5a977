#include "libs/rpc/server_flags.h"

#include "absl/flags/flag.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"

RIDESTREAM_RANGED_FLAG(
    int, max_message_bytes, 1 << 20,
    "Largest message that is read, in bytes; a larger one ends its call with RESOURCE_EXHAUSTED",
    1'024, 64 << 20);
RIDESTREAM_RANGED_FLAG(int, max_streams_per_connection, 100,
                       "Calls and streams that a client may have open on one connection; its next "
                       "one waits until one ends",
                       1, 1'000'000);
RIDESTREAM_RANGED_FLAG(size_t, grpc_max_connections, 20'000,
                       "Connections to the gRPC port; one more is closed at once. Fewer where the "
                       "process may open fewer files: 64 of them stay for other uses",
                       2, 10'000'000);
RIDESTREAM_RANGED_FLAG(
    size_t, grpc_max_connections_per_address, 2'000,
    "Connections from one IPv4 address, or one /64 network of IPv6; at most half of all. Raise it "
    "behind a proxy, which has one address for all its clients",
    1, 10'000'000);
RIDESTREAM_RANGED_FLAG(size_t, grpc_memory_mib, 0,
                       "Memory for connections to the gRPC port and for what is read from them, in "
                       "MiB; with more in use gRPC reads less and ends streams. 0: a quarter of "
                       "what the machine has, or of what the container may use",
                       0, 1 << 20);
RIDESTREAM_RANGED_FLAG(
    double, max_calls_per_s, 50,
    "Calls a second that one rider or driver may make, twice as many at once; more get "
    "RESOURCE_EXHAUSTED with retry-after-ms. A stream counts once. 0: no limit",
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
