#include "services/location/rpc/location_service.h"

#include <memory>
#include <string>
#include <utility>

#include "libs/rpc/call_span.h"
#include "libs/rpc/pull_stream.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"
#include "libs/service/service.h"

namespace ridestream::location {
namespace {

/// Finishes the call with a handler's result.
template <class Response>
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 absl::StatusOr<Response> answer, Response* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (answer.ok()) *response = *std::move(answer);
  reactor->Finish(rpc::ToGrpcStatus(answer.status(), context));
  return reactor;
}

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* LocationService::ReportPositions(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  using Call = rpc::ReadCall<v1::ReportPositionsRequest, v1::ReportPositionsResponse>;
  auto* const transport = new Call(*context, *response);  // gRPC's until OnDone.
  const auto refuse = [&](const absl::Status& status) {
    transport->Finish(status, {});
    return transport;
  };
  const auto admission = guard_.AdmitCaller<v1::ReportPositionsRequest>(*context);
  if (!admission.ok()) return refuse(admission.status());
  const auto stream = handlers_.ReportPositions(*transport);
  if (!stream.ok()) return refuse(stream.status());
  transport->Attach(*stream, *admission);
  return transport;
}

grpc::ServerUnaryReactor* LocationService::FindNearest(grpc::CallbackServerContext* context,
                                                       const v1::FindNearestRequest* request,
                                                       v1::FindNearestResponse* response) {
  const auto admission = guard_.Admit(*context, *request);
  const LocationHandlers::Call call{.is_cancelled = [context] { return context->IsCancelled(); }};
  absl::StatusOr<v1::FindNearestResponse> answer =
      admission.ok() ? handlers_.FindNearest(call, *request) : admission.status();
  for (const std::string& id : rpc::RequestIds(*context)) {
    service::Log(service::Level::kInfo, "nearest_searched",
                 {{"request", id},
                  {"trace_id", rpc::TraceIdForLog(rpc::ServerSpanOf(*context))},
                  {"market", request->market()},
                  {"queries", std::to_string(request->queries_size())},
                  {"error", answer.ok() ? "" : answer.status().ToString()}});
  }
  return Answer(context, std::move(answer), response);
}

grpc::ServerUnaryReactor* LocationService::GetIndexStats(grpc::CallbackServerContext* context,
                                                         const v1::GetIndexStatsRequest* request,
                                                         v1::GetIndexStatsResponse* response) {
  const auto admission = guard_.Admit(*context, *request);
  absl::StatusOr<v1::GetIndexStatsResponse> answer =
      admission.ok() ? handlers_.GetIndexStats(*request) : admission.status();
  return Answer(context, std::move(answer), response);
}

grpc::ServerWriteReactor<v1::WatchAreaResponse>* LocationService::WatchArea(
    grpc::CallbackServerContext* context, const v1::WatchAreaRequest* request) {
  const auto admission = guard_.Admit(*context, *request);
  if (!admission.ok()) {
    return rpc::RefuseStream<v1::WatchAreaResponse>(admission.status(), context);
  }
  auto transport = std::make_unique<rpc::WriteCall<v1::WatchAreaResponse>>(*admission);
  const auto stream = handlers_.WatchArea(*request, *transport);
  if (!stream.ok()) return rpc::RefuseStream<v1::WatchAreaResponse>(stream.status(), context);
  transport->Attach(*stream);
  proofs_.Add(*admission, *stream);
  return transport.release();  // gRPC's until OnDone.
}

}  // namespace ridestream::location
