#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"

namespace ridestream::bench::wire {

inline absl::Status ToAbslStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

/// Serves until the process ends.
inline absl::Status ServeGrpc(grpc::Service& service, const std::function<void(int)>& serving) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return absl::UnavailableError("can't listen on a port of 127.0.0.1");
  serving(port);
  server->Wait();
  return absl::OkStatus();
}

/// A channel with a connection of its own; otherwise gRPC shares one among channels.
inline std::shared_ptr<grpc::Channel> ConnectGrpc(int port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                   grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace ridestream::bench::wire
