#pragma once

#include "grpcpp/grpcpp.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/proof_watch.h"
#include "libs/service/markets.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/location/handlers/location_handlers.h"

namespace ridestream::location {

/// LocationService over gRPC: authenticates the caller, passes the call to its handler and returns
/// the answer. Thread-safe. Its server must have stopped before it is destroyed.
class LocationService final : public v1::LocationService::WithRawCallbackMethod_ReportPositions<
                                  v1::LocationService::CallbackService> {
 public:
  /// Both references must outlive this object. Calls whose metadata name a market that isn't in
  /// `markets` are refused.
  LocationService(LocationHandlers& handlers, const rpc::Authenticator& authenticator,
                  const service::ServedMarkets& markets = {})
      : handlers_(handlers), guard_(authenticator, markets), proofs_(authenticator) {}

  grpc::ServerReadReactor<grpc::ByteBuffer>* ReportPositions(grpc::CallbackServerContext* context,
                                                             grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const v1::FindNearestRequest* request,
                                        v1::FindNearestResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchAreaResponse>* WatchArea(
      grpc::CallbackServerContext* context, const v1::WatchAreaRequest* request) override;
  grpc::ServerUnaryReactor* GetIndexStats(grpc::CallbackServerContext* context,
                                          const v1::GetIndexStatsRequest* request,
                                          v1::GetIndexStatsResponse* response) override;

 private:
  LocationHandlers& handlers_;
  const rpc::CallGuard guard_;
  rpc::ProofWatch proofs_;
};

}  // namespace ridestream::location
