#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/time.h"
#include "ridestream/client/connection.h"

namespace ridestream::client {

/// What the metadata say about the caller.
struct Proof {
  std::string key;
  std::string value;
};

/// Asks for a token now.
absl::StatusOr<Proof> Prove(const Connection& connection);
/// `market`, unless it is empty, so that a proxy finds the market's process.
void AddMetadata(grpc::ClientContext& context, const Proof& proof, const std::string& market);
/// Connects to `address`, over a TCP connection that no other channel uses.
std::shared_ptr<grpc::Channel> OpenChannel(const Connection& connection,
                                           const std::string& address);
/// A call's end, with what its trailing metadata say. The call has ended.
absl::Status StatusOf(const grpc::Status& status, const grpc::ClientContext& context);

/// A time of the monotonic clock as gRPC takes it.
gpr_timespec ToGrpc(std::chrono::steady_clock::time_point time);

}  // namespace ridestream::client

namespace grpc {

template <>
class TimePoint<std::chrono::steady_clock::time_point> {
 public:
  explicit TimePoint(std::chrono::steady_clock::time_point time)
      : time_(ridestream::client::ToGrpc(time)) {}
  gpr_timespec raw_time() const { return time_; }

 private:
  gpr_timespec time_;
};

}  // namespace grpc
