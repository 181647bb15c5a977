#include "services/trip/rpc/trip_service.h"

#include <memory>
#include <utility>

#include "libs/rpc/call_span.h"
#include "libs/rpc/pull_stream.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/request_id.h"
#include "services/trip/rpc/unary_reply.h"

namespace ridestream::trip {
namespace {

/// Answers a call that no handler sees.
grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, const absl::Status& status) {
  const UnaryReply reply(context, nullptr);
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

TripHandlers::Call ToCall(const rpc::Admission& admission,
                          const grpc::CallbackServerContext& context) {
  return {.caller = admission.caller(),
          .permission = admission.permission,
          .deadline = DeadlineOf(context),
          .span = rpc::ServerSpanOf(context),
          .is_cancelled = [&context] { return context.IsCancelled(); }};
}

}  // namespace

template <class Handle>
grpc::ServerUnaryReactor* TripService::Answer(grpc::CallbackServerContext* context,
                                              const google::protobuf::Message& request,
                                              Handle handle) {
  absl::StatusOr<rpc::Admission> admission = guard_.Admit(*context, request);
  if (!admission.ok()) return Finish(context, admission.status());
  const auto shared = std::make_shared<const rpc::Admission>(*std::move(admission));
  const UnaryReply reply(context, shared);
  handle(ToCall(*shared, *context), reply);
  return reply.reactor();
}

template <class Response, class Handle>
grpc::ServerUnaryReactor* TripService::AnswerWithTrip(grpc::CallbackServerContext* context,
                                                      const google::protobuf::Message& request,
                                                      Response* response, Handle handle) {
  return Answer(context, request, [&](Call call, const UnaryReply& reply) {
    handle(std::move(call), [reply, response](const absl::StatusOr<TripPtr>& trip) {
      if (trip.ok()) *response->mutable_trip() = **trip;
      reply.Finish(trip.status());
    });
  });
}

template <class Request, class Response>
grpc::ServerUnaryReactor* TripService::Carry(grpc::CallbackServerContext* context,
                                             const Request& request, Response* response) {
  return AnswerWithTrip(context, request, response,
                        [&](const Call& call, TripHandlers::TripReply reply) {
                          handlers_.Carry(call, request, std::move(reply));
                        });
}

grpc::ServerUnaryReactor* TripService::QuoteTrip(grpc::CallbackServerContext* context,
                                                 const v1::QuoteTripRequest* request,
                                                 v1::QuoteTripResponse* response) {
  return Answer(context, *request, [&](const Call& call, const UnaryReply& reply) {
    handlers_.QuoteTrip(call, *request, reply.WithResponse(response));
  });
}

grpc::ServerUnaryReactor* TripService::RequestTrip(grpc::CallbackServerContext* context,
                                                   const v1::RequestTripRequest* request,
                                                   v1::RequestTripResponse* response) {
  return AnswerWithTrip(context, *request, response, [&](Call call, TripHandlers::TripReply reply) {
    call.request_id = rpc::RequestIdOrNew(*context);
    handlers_.RequestTrip(call, *request, std::move(reply));
  });
}

grpc::ServerUnaryReactor* TripService::CancelTrip(grpc::CallbackServerContext* context,
                                                  const v1::CancelTripRequest* request,
                                                  v1::CancelTripResponse* response) {
  return AnswerWithTrip(context, *request, response,
                        [&](const Call& call, TripHandlers::TripReply reply) {
                          handlers_.CancelTrip(call, *request, std::move(reply));
                        });
}

grpc::ServerUnaryReactor* TripService::ChangeDestination(
    grpc::CallbackServerContext* context, const v1::ChangeDestinationRequest* request,
    v1::ChangeDestinationResponse* response) {
  return AnswerWithTrip(context, *request, response,
                        [&](const Call& call, TripHandlers::TripReply reply) {
                          handlers_.ChangeDestination(call, *request, std::move(reply));
                        });
}

grpc::ServerUnaryReactor* TripService::GetTrip(grpc::CallbackServerContext* context,
                                               const v1::GetTripRequest* request,
                                               v1::GetTripResponse* response) {
  return Answer(context, *request, [&](const Call& call, const UnaryReply& reply) {
    handlers_.GetTrip(call, *request, [reply, response](absl::StatusOr<v1::Trip> trip) {
      if (trip.ok()) *response->mutable_trip() = *std::move(trip);
      reply.Finish(trip.status());
    });
  });
}

grpc::ServerUnaryReactor* TripService::ListTrips(grpc::CallbackServerContext* context,
                                                 const v1::ListTripsRequest* request,
                                                 v1::ListTripsResponse* response) {
  return Answer(context, *request, [&](const Call& call, const UnaryReply& reply) {
    handlers_.ListTrips(call, *request, reply.WithResponse(response));
  });
}

grpc::ServerWriteReactor<v1::WatchTripResponse>* TripService::WatchTrip(
    grpc::CallbackServerContext* context, const v1::WatchTripRequest* request) {
  const absl::StatusOr<rpc::Admission> admission = guard_.Admit(*context, *request);
  if (!admission.ok()) return RefuseStream<v1::WatchTripResponse>(admission.status());
  // gRPC's until OnDone.
  auto* const transport = new rpc::WriteCall<v1::WatchTripResponse>(*admission);
  const auto stream = handlers_.WatchTrip(ToCall(*admission, *context), *request, *transport);
  transport->Attach(stream);
  proofs_.Add(*admission, stream);
  return transport;
}

grpc::ServerWriteReactor<v1::FollowTripsResponse>* TripService::FollowTrips(
    grpc::CallbackServerContext* context, const v1::FollowTripsRequest* request) {
  const absl::StatusOr<rpc::Admission> admission = guard_.Admit(*context, *request);
  if (!admission.ok()) return RefuseStream<v1::FollowTripsResponse>(admission.status());
  // gRPC's until OnDone.
  auto* const transport = new rpc::WriteCall<v1::FollowTripsResponse>(*admission);
  const auto stream = handlers_.FollowTrips(*request, *transport);
  transport->Attach(stream);
  proofs_.Add(*admission, stream);
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

grpc::ServerUnaryReactor* TripService::AcquireLease(grpc::CallbackServerContext* context,
                                                    const v1::AcquireLeaseRequest* request,
                                                    v1::AcquireLeaseResponse* response) {
  return Answer(context, *request, [&](const Call& call, const UnaryReply& reply) {
    handlers_.AcquireLease(call, *request, reply.WithResponse(response));
  });
}

grpc::ServerUnaryReactor* TripService::RenewLease(grpc::CallbackServerContext* context,
                                                  const v1::RenewLeaseRequest* request,
                                                  v1::RenewLeaseResponse* response) {
  return Answer(context, *request, [&](const Call& call, const UnaryReply& reply) {
    handlers_.RenewLease(call, *request, reply.WithResponse(response));
  });
}

grpc::ServerUnaryReactor* TripService::ReleaseLease(grpc::CallbackServerContext* context,
                                                    const v1::ReleaseLeaseRequest* request,
                                                    v1::ReleaseLeaseResponse* response) {
  return Answer(context, *request, [&](const Call& call, const UnaryReply& reply) {
    handlers_.ReleaseLease(call, *request, reply.WithResponse(response));
  });
}

grpc::ServerUnaryReactor* TripService::ReportSurge(grpc::CallbackServerContext* context,
                                                   const v1::ReportSurgeRequest* request,
                                                   v1::ReportSurgeResponse*) {
  return Answer(context, *request, [&](const Call&, const UnaryReply& reply) {
    reply.Finish(handlers_.ReportSurge(*request));
  });
}

grpc::ServerReadReactor<grpc::ByteBuffer>* TripService::ReportProgress(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  using ReadCall = rpc::ReadCall<v1::ReportProgressRequest, v1::ReportProgressResponse>;
  auto* const transport = new ReadCall(*context, *response);  // gRPC's until OnDone.
  const auto admission = guard_.AdmitCaller<v1::ReportProgressRequest>(*context);
  if (admission.ok()) {
    transport->Attach(handlers_.ReportProgress(*transport), *admission);
  } else {
    transport->Finish(admission.status(), {});
  }
  return transport;
}

}  // namespace ridestream::trip
