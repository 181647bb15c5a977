// healthprobe ADDRESS: for container health checks. Exits with 0 when the gRPC server at ADDRESS
// says that it is serving, with 1 and the reason on stderr when not, with 2 when called wrongly.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "deploy/healthprobe/check_health.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: healthprobe HOST:PORT\n");
    return 2;
  }
  const absl::Status status = ridestream::CheckHealth(argv[1], std::chrono::seconds(3));
  if (!status.ok()) {
    fmt::print(stderr, "{}: {}\n", argv[1], status.ToString());
    return 1;
  }
  return 0;
}
