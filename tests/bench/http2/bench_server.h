#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/process/child_process.h"

namespace ridestream::bench {

/// Number of messages that the benchmark server's WatchArea sends on each stream, and the size of
/// each: in total twice the 4 MiB that gRPC 1.51 grants as a stream's first window.
inline constexpr int kWatchMessages = 256;
inline constexpr std::size_t kWatchMessageBytes = 32'000;

/// Runs the server until a stop signal: dispatch's Drive by BareDispatch, and location's
/// GetIndexStats and WatchArea by handlers that send zeros, on the rpc::Server that all services
/// use. `authority`: the folder of a throwaway authority, for mutual TLS; empty: plaintext.
absl::Status RunBenchServer(const std::string& authority, int max_streams);

/// The benchmark's own binary, run as that server.
struct BenchServer {
  std::unique_ptr<process::ChildProcess> process;
  std::string address;
};
absl::StatusOr<BenchServer> StartBenchServer(const std::vector<std::string>& flags = {});

/// Credentials for a client of that server; plaintext if `authority` is empty.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> BenchCredentials(
    const std::string& authority);

/// Prints a line.
void Print(const std::string& line);

}  // namespace ridestream::bench
