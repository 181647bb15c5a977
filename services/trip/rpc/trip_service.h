#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/proof_watch.h"
#include "libs/service/markets.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/trip/handlers/trip_handlers.h"

namespace ridestream::trip {

/// TripService over gRPC: authenticates the caller, passes the call to its handler and returns the
/// answer. Thread-safe. Its server must have stopped before it is destroyed.
class TripService final : public v1::TripService::WithRawCallbackMethod_ReportProgress<
                              v1::TripService::CallbackService> {
 public:
  /// Both references must outlive this object. Calls whose metadata name a market that isn't in
  /// `markets` are refused.
  TripService(TripHandlers& handlers, const rpc::Authenticator& authenticator,
              const service::ServedMarkets& markets = {})
      : handlers_(handlers), guard_(authenticator, markets), proofs_(authenticator) {}

  // Riders.
  grpc::ServerUnaryReactor* QuoteTrip(grpc::CallbackServerContext* context,
                                      const v1::QuoteTripRequest* request,
                                      v1::QuoteTripResponse* response) override;
  grpc::ServerUnaryReactor* RequestTrip(grpc::CallbackServerContext* context,
                                        const v1::RequestTripRequest* request,
                                        v1::RequestTripResponse* response) override;
  grpc::ServerUnaryReactor* CancelTrip(grpc::CallbackServerContext* context,
                                       const v1::CancelTripRequest* request,
                                       v1::CancelTripResponse* response) override;
  grpc::ServerUnaryReactor* ChangeDestination(grpc::CallbackServerContext* context,
                                              const v1::ChangeDestinationRequest* request,
                                              v1::ChangeDestinationResponse* response) override;
  grpc::ServerUnaryReactor* GetTrip(grpc::CallbackServerContext* context,
                                    const v1::GetTripRequest* request,
                                    v1::GetTripResponse* response) override;
  grpc::ServerUnaryReactor* ListTrips(grpc::CallbackServerContext* context,
                                      const v1::ListTripsRequest* request,
                                      v1::ListTripsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchTripResponse>* WatchTrip(
      grpc::CallbackServerContext* context, const v1::WatchTripRequest* request) override;

  // Services.
  grpc::ServerWriteReactor<v1::FollowTripsResponse>* FollowTrips(
      grpc::CallbackServerContext* context, const v1::FollowTripsRequest* request) override;
  grpc::ServerUnaryReactor* AssignTrip(grpc::CallbackServerContext* context,
                                       const v1::AssignTripRequest* request,
                                       v1::AssignTripResponse* response) override;
  grpc::ServerUnaryReactor* AdvanceTrip(grpc::CallbackServerContext* context,
                                        const v1::AdvanceTripRequest* request,
                                        v1::AdvanceTripResponse* response) override;
  grpc::ServerUnaryReactor* ReleaseTrip(grpc::CallbackServerContext* context,
                                        const v1::ReleaseTripRequest* request,
                                        v1::ReleaseTripResponse* response) override;
  grpc::ServerUnaryReactor* GiveUpTrip(grpc::CallbackServerContext* context,
                                       const v1::GiveUpTripRequest* request,
                                       v1::GiveUpTripResponse* response) override;
  grpc::ServerUnaryReactor* ReportDriverLost(grpc::CallbackServerContext* context,
                                             const v1::ReportDriverLostRequest* request,
                                             v1::ReportDriverLostResponse* response) override;
  grpc::ServerUnaryReactor* AcquireLease(grpc::CallbackServerContext* context,
                                         const v1::AcquireLeaseRequest* request,
                                         v1::AcquireLeaseResponse* response) override;
  grpc::ServerUnaryReactor* RenewLease(grpc::CallbackServerContext* context,
                                       const v1::RenewLeaseRequest* request,
                                       v1::RenewLeaseResponse* response) override;
  grpc::ServerUnaryReactor* ReleaseLease(grpc::CallbackServerContext* context,
                                         const v1::ReleaseLeaseRequest* request,
                                         v1::ReleaseLeaseResponse* response) override;
  grpc::ServerUnaryReactor* ReportSurge(grpc::CallbackServerContext* context,
                                        const v1::ReportSurgeRequest* request,
                                        v1::ReportSurgeResponse* response) override;
  grpc::ServerReadReactor<grpc::ByteBuffer>* ReportProgress(grpc::CallbackServerContext* context,
                                                            grpc::ByteBuffer* response) override;

 private:
  using Call = TripHandlers::Call;

  /// Passes the call to `handle`, which answers by a UnaryReply, if the method's policy permits the
  /// call.
  template <class Handle>
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                   const google::protobuf::Message& request, Handle handle);
  /// The same for a call whose response is a trip.
  template <class Response, class Handle>
  grpc::ServerUnaryReactor* AnswerWithTrip(grpc::CallbackServerContext* context,
                                           const google::protobuf::Message& request,
                                           Response* response, Handle handle);
  /// A command of a service.
  template <class Request, class Response>
  grpc::ServerUnaryReactor* Carry(grpc::CallbackServerContext* context, const Request& request,
                                  Response* response);

  TripHandlers& handlers_;
  const rpc::CallGuard guard_;
  rpc::ProofWatch proofs_;
};

}  // namespace ridestream::trip
