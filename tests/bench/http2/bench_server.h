#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/process/child_process.h"

namespace ridestream::bench {

/// Messages that WatchArea of the bench's server sends on each stream, and the size of each: twice
/// the 4 MiB that gRPC 1.51 opens as a stream's first window.
inline constexpr int kWatchMessages = 256;
inline constexpr std::size_t kWatchMessageBytes = 32'000;

/// Runs the server until a stop signal: dispatch's Drive by BareDispatch, and location's
/// GetIndexStats and WatchArea by handlers that send zeros, on rpc::Server as all services use it.
/// `authority`: the folder of a throwaway authority, for mutual TLS; empty: plaintext.
absl::Status RunBenchServer(const std::string& authority, int max_streams);

/// The benchmark's own binary as that server.
struct BenchServer {
  std::unique_ptr<process::ChildProcess> process;
  std::string address;
};
absl::StatusOr<BenchServer> StartBenchServer(const std::vector<std::string>& flags = {});

/// Credentials of a client of that server; plaintext without `authority`.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> BenchCredentials(
    const std::string& authority);

/// A line for the reader.
void Say(const std::string& line);

}  // namespace ridestream::bench
