#include "services/trip/rpc/trip_service.h"

#include <utility>

#include "libs/rpc/push_stream.h"
#include "libs/rpc/request_id.h"
#include "services/trip/rpc/progress_call.h"
#include "services/trip/rpc/unary_reply.h"

namespace ridestream::trip {
namespace {

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, const absl::Status& status) {
  const UnaryReply reply(context);
  reply.Finish(status);
  return reply.reactor();
}

/// A server stream that ends at once.
template <class Response>
grpc::ServerWriteReactor<Response>* RefuseStream(const absl::Status& status) {
  const auto stream = rpc::PushStream<Response>::Make({});
  stream->Close(rpc::ToGrpcStatus(status));
  return stream.get();
}

identity::Principal ToPrincipal(rpc::Caller caller) {
  switch (caller.kind) {
    case rpc::CallerKind::kRider:
      return {identity::Role::kRider, std::move(caller.id)};
    case rpc::CallerKind::kDriver:
      return {identity::Role::kDriver, std::move(caller.id)};
    case rpc::CallerKind::kService:
      return {identity::Role::kService, std::move(caller.id)};
  }
  return {};
}

absl::StatusOr<TripHandlers::Call> ToCall(absl::StatusOr<rpc::Caller> caller,
                                          const grpc::CallbackServerContext& context) {
  if (!caller.ok()) return caller.status();
  return TripHandlers::Call{.caller = ToPrincipal(*std::move(caller)),
                            .deadline = DeadlineOf(context),
                            .is_cancelled = [&context] { return context.IsCancelled(); }};
}

}  // namespace

absl::StatusOr<TripHandlers::Call> TripService::RequireRider(
    const grpc::CallbackServerContext& context) const {
  return ToCall(rpc::RequireCaller(authenticator_, context, rpc::CallerKind::kRider), context);
}

absl::StatusOr<TripHandlers::Call> TripService::RequireService(
    const grpc::CallbackServerContext& context) const {
  return ToCall(rpc::RequireCaller(authenticator_, context, rpc::CallerKind::kService), context);
}

absl::StatusOr<TripHandlers::Call> TripService::RequireRiderOrService(
    const grpc::CallbackServerContext& context) const {
  absl::StatusOr<rpc::Caller> caller = authenticator_.Authenticate(context);
  if (caller.ok() && caller->kind == rpc::CallerKind::kDriver) {
    return absl::PermissionDeniedError("this call is for riders and services, not for drivers");
  }
  return ToCall(std::move(caller), context);
}

template <class Response, class Handle>
grpc::ServerUnaryReactor* TripService::AnswerWithTrip(grpc::CallbackServerContext* context,
                                                      const absl::StatusOr<Call>& call,
                                                      Response* response, Handle handle) {
  if (!call.ok()) return Finish(context, call.status());
  const UnaryReply reply(context);
  handle(*call, [reply, response](const absl::StatusOr<TripPtr>& trip) {
    if (trip.ok()) *response->mutable_trip() = **trip;
    reply.Finish(trip.status());
  });
  return reply.reactor();
}

template <class Request, class Response>
grpc::ServerUnaryReactor* TripService::Carry(grpc::CallbackServerContext* context,
                                             const Request& request, Response* response) {
  return AnswerWithTrip(context, RequireService(*context), response,
                        [&](const Call& call, TripHandlers::TripReply reply) {
                          handlers_.Carry(call, request, std::move(reply));
                        });
}

grpc::ServerUnaryReactor* TripService::QuoteTrip(grpc::CallbackServerContext* context,
                                                 const v1::QuoteTripRequest* request,
                                                 v1::QuoteTripResponse* response) {
  const absl::StatusOr<Call> call = RequireRider(*context);
  if (!call.ok()) return Finish(context, call.status());
  const UnaryReply reply(context);
  handlers_.QuoteTrip(*call, *request, reply.WithResponse(response));
  return reply.reactor();
}

grpc::ServerUnaryReactor* TripService::RequestTrip(grpc::CallbackServerContext* context,
                                                   const v1::RequestTripRequest* request,
                                                   v1::RequestTripResponse* response) {
  absl::StatusOr<Call> call = RequireRider(*context);
  if (call.ok()) call->request_id = rpc::RequestIdOrNew(*context);
  return AnswerWithTrip(context, call, response,
                        [&](const Call& allowed, TripHandlers::TripReply reply) {
                          handlers_.RequestTrip(allowed, *request, std::move(reply));
                        });
}

grpc::ServerUnaryReactor* TripService::CancelTrip(grpc::CallbackServerContext* context,
                                                  const v1::CancelTripRequest* request,
                                                  v1::CancelTripResponse* response) {
  return AnswerWithTrip(context, RequireRiderOrService(*context), response,
                        [&](const Call& call, TripHandlers::TripReply reply) {
                          handlers_.CancelTrip(call, *request, std::move(reply));
                        });
}

grpc::ServerUnaryReactor* TripService::ChangeDestination(
    grpc::CallbackServerContext* context, const v1::ChangeDestinationRequest* request,
    v1::ChangeDestinationResponse* response) {
  return AnswerWithTrip(context, RequireRider(*context), response,
                        [&](const Call& call, TripHandlers::TripReply reply) {
                          handlers_.ChangeDestination(call, *request, std::move(reply));
                        });
}

grpc::ServerUnaryReactor* TripService::GetTrip(grpc::CallbackServerContext* context,
                                               const v1::GetTripRequest* request,
                                               v1::GetTripResponse* response) {
  const absl::StatusOr<Call> call = RequireRiderOrService(*context);
  if (!call.ok()) return Finish(context, call.status());
  const UnaryReply reply(context);
  handlers_.GetTrip(*call, *request, [reply, response](absl::StatusOr<v1::Trip> trip) {
    if (trip.ok()) *response->mutable_trip() = *std::move(trip);
    reply.Finish(trip.status());
  });
  return reply.reactor();
}

grpc::ServerUnaryReactor* TripService::ListTrips(grpc::CallbackServerContext* context,
                                                 const v1::ListTripsRequest* request,
                                                 v1::ListTripsResponse* response) {
  const absl::StatusOr<Call> call = RequireRiderOrService(*context);
  if (!call.ok()) return Finish(context, call.status());
  const UnaryReply reply(context);
  handlers_.ListTrips(*call, *request, reply.WithResponse(response));
  return reply.reactor();
}

grpc::ServerWriteReactor<v1::WatchTripResponse>* TripService::WatchTrip(
    grpc::CallbackServerContext* context, const v1::WatchTripRequest* request) {
  const absl::StatusOr<Call> call = RequireRiderOrService(*context);
  if (!call.ok()) return RefuseStream<v1::WatchTripResponse>(call.status());
  auto* const transport = new rpc::WriteCall<v1::WatchTripResponse>;  // gRPC's until OnDone.
  transport->Attach(handlers_.WatchTrip(*call, *request, *transport));
  return transport;
}

grpc::ServerWriteReactor<v1::FollowTripsResponse>* TripService::FollowTrips(
    grpc::CallbackServerContext* context, const v1::FollowTripsRequest* request) {
  const absl::StatusOr<Call> call = RequireService(*context);
  if (!call.ok()) return RefuseStream<v1::FollowTripsResponse>(call.status());
  auto* const transport = new rpc::WriteCall<v1::FollowTripsResponse>;  // gRPC's until OnDone.
  transport->Attach(handlers_.FollowTrips(*request, *transport));
  return transport;
}

grpc::ServerUnaryReactor* TripService::AssignTrip(grpc::CallbackServerContext* context,
                                                  const v1::AssignTripRequest* request,
                                                  v1::AssignTripResponse* response) {
  return Carry(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::AdvanceTrip(grpc::CallbackServerContext* context,
                                                   const v1::AdvanceTripRequest* request,
                                                   v1::AdvanceTripResponse* response) {
  return Carry(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::ReleaseTrip(grpc::CallbackServerContext* context,
                                                   const v1::ReleaseTripRequest* request,
                                                   v1::ReleaseTripResponse* response) {
  return Carry(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::GiveUpTrip(grpc::CallbackServerContext* context,
                                                  const v1::GiveUpTripRequest* request,
                                                  v1::GiveUpTripResponse* response) {
  return Carry(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::ReportDriverLost(grpc::CallbackServerContext* context,
                                                        const v1::ReportDriverLostRequest* request,
                                                        v1::ReportDriverLostResponse* response) {
  return Carry(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::ReportSurge(grpc::CallbackServerContext* context,
                                                   const v1::ReportSurgeRequest* request,
                                                   v1::ReportSurgeResponse*) {
  const absl::StatusOr<Call> call = RequireService(*context);
  return Finish(context, call.ok() ? handlers_.ReportSurge(*request) : call.status());
}

grpc::ServerReadReactor<grpc::ByteBuffer>* TripService::ReportProgress(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  auto* const transport = new ProgressCall(*response);  // gRPC's until OnDone.
  if (const absl::StatusOr<Call> call = RequireService(*context); call.ok()) {
    transport->Attach(handlers_.ReportProgress(*transport));
  } else {
    transport->Finish(call.status(), {});
  }
  return transport;
}

}  // namespace ridestream::trip
