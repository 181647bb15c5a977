#pragma once

#include <string>

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
  grpc::ServerUnaryReactor* GetDriver(grpc::CallbackServerContext* context,
                                      const v1::GetDriverRequest* request,
                                      v1::GetDriverResponse* response) override;

 private:
  absl::Status Describe(const grpc::CallbackServerContext& context, const std::string& driver_id,
                        v1::GetDriverResponse& response) const;

  SessionRegistry& registry_;
  const rpc::Authenticator& authenticator_;
};

}  // namespace ridestream::dispatch
