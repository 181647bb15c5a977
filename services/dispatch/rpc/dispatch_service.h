#pragma once

#include <string>

#include "libs/rpc/call_guard.h"
#include "libs/rpc/call_observer.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/proof_watch.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "services/dispatch/drive/session_registry.h"
#include "services/dispatch/rpc/drive_call.h"

namespace ridestream::dispatch {

/// DispatchService over gRPC. Thread-safe. Reports its streams to `observer`, which may be null,
/// see rpc::MakeCallInterceptorFactory.
class DispatchService final : public v1::DispatchService::WithRawCallbackMethod_Drive<
                                  v1::DispatchService::WithCallbackMethod_GetDriver<
                                      v1::DispatchService::WithCallbackMethod_GetOfferStats<
                                          v1::DispatchService::Service>>> {
 public:
  DispatchService(SessionRegistry& registry, const rpc::Authenticator& authenticator,
                  rpc::CallObserver* observer = nullptr)
      : registry_(registry),
        guard_(authenticator, registry.markets()),
        proofs_(authenticator),
        observer_(observer) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Drive(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* GetDriver(grpc::CallbackServerContext* context,
                                      const v1::GetDriverRequest* request,
                                      v1::GetDriverResponse* response) override;
  grpc::ServerUnaryReactor* GetOfferStats(grpc::CallbackServerContext* context,
                                          const v1::GetOfferStatsRequest* request,
                                          v1::GetOfferStatsResponse* response) override;

 private:
  absl::Status Describe(const grpc::CallbackServerContext& context,
                        const v1::GetDriverRequest& request, v1::GetDriverResponse& response) const;
  absl::Status DescribeOffers(const grpc::CallbackServerContext& context,
                              const v1::GetOfferStatsRequest& request,
                              v1::GetOfferStatsResponse& response) const;

  SessionRegistry& registry_;
  const rpc::CallGuard guard_;
  rpc::ProofWatch proofs_;
  rpc::CallObserver* const observer_;
};

}  // namespace ridestream::dispatch
