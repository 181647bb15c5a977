#pragma once

#include "libs/rpc/caller.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "services/dispatch/rpc/session_registry.h"

namespace ridestream::dispatch {

/// The gRPC face of dispatch. Thread-safe.
class DispatchService final : public v1::DispatchService::CallbackService {
 public:
  DispatchService(SessionRegistry& registry, const rpc::Authenticator& authenticator)
      : registry_(registry), authenticator_(authenticator) {}

  grpc::ServerBidiReactor<v1::DriveRequest, v1::DriveResponse>* Drive(
      grpc::CallbackServerContext* context) override;

 private:
  SessionRegistry& registry_;
  const rpc::Authenticator& authenticator_;
};

}  // namespace ridestream::dispatch
