#pragma once

#include <atomic>
#include <cstdint>

#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"

namespace ridestream::bench {

/// A server that shows what gRPC alone can do: reads a Drive stream, counts messages, stores
/// nothing. Answers a Hello with an empty Welcome and an Ack with a Heartbeat, for ping-pong.
class BareDispatch final : public dispatch::v1::DispatchService::CallbackService {
 public:
  grpc::ServerBidiReactor<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse>* Drive(
      grpc::CallbackServerContext* context) override;

 private:
  std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace ridestream::bench
