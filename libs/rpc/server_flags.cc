#include "libs/rpc/server_flags.h"

#include <fmt/format.h>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "libs/service/flag_range.h"

ABSL_FLAG(int, max_message_bytes, 1 << 20,
          "Largest message that is read, in bytes; a larger one ends its call with "
          "RESOURCE_EXHAUSTED (1024 to 67108864)");
ABSL_FLAG(
    int, max_streams_per_connection, 20'000,
    "Calls and streams that a client may have open on one connection; its next one waits until "
    "one ends (1 to 1000000)");
ABSL_FLAG(double, max_calls_per_s, 50,
          "Calls a second that one rider or driver may make, twice as many at once; more get "
          "RESOURCE_EXHAUSTED with retry-after-ms. A stream counts once. 0: no limit");

namespace ridestream::rpc {
absl::StatusOr<ServerOptions> ServerOptionsFromFlags() {
  ServerOptions options;
  options.max_message_bytes = absl::GetFlag(FLAGS_max_message_bytes);
  options.max_streams_per_connection = absl::GetFlag(FLAGS_max_streams_per_connection);
  const absl::Status checks[] = {
      service::CheckRange(FLAGS_max_message_bytes, 1'024, 64 << 20),
      service::CheckRange(FLAGS_max_streams_per_connection, 1, 1'000'000),
      service::CheckRange(FLAGS_max_calls_per_s, 0.0, 1e6)};
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  return options;
}

}  // namespace ridestream::rpc
