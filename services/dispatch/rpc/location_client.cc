#include "services/dispatch/rpc/location_client.h"

#include <memory>
#include <utility>

#include "libs/rpc/call_span.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/client_streams.h"
#include "libs/rpc/market.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"

namespace ridestream::dispatch {
namespace {

const rpc::Caller kSelf{rpc::CallerKind::kService, "dispatch"};

}  // namespace

LocationClient::~LocationClient() {
  MutexLock lock(mu_);
  while (calls_under_way_ > 0) idle_.Wait(mu_);
}

void LocationClient::FindNearest(location::v1::FindNearestRequest request,
                                 const CallOptions& options, Done done) {
  struct UnderWay {
    grpc::ClientContext context;
    location::v1::FindNearestRequest request;
    location::v1::FindNearestResponse response;
    tracing::Span span;
  };
  auto under_way = std::make_shared<UnderWay>();
  under_way->request = std::move(request);
  rpc::SetTimeout(under_way->context, options.timeout);
  rpc::SetCaller(under_way->context, kSelf);
  rpc::SetMarket(under_way->context, market_);
  for (const std::string& id : options.request_ids) rpc::AddRequestId(under_way->context, id);
  under_way->span = rpc::StartClientSpan(
      under_way->context, under_way->request,
      tracing::ParseTraceContext(options.traceparent).value_or(tracing::SpanContext()));
  {
    MutexLock lock(mu_);
    ++calls_under_way_;
  }
  stub_.async()->FindNearest(&under_way->context, &under_way->request, &under_way->response,
                             [this, under_way, done = std::move(done)](const grpc::Status& status) {
                               rpc::EndClientSpan(under_way->span, status);
                               if (status.ok()) {
                                 done(std::move(under_way->response));
                               } else {
                                 done(rpc::FromGrpcStatus(status));
                               }
                               EndCall();
                             });
}

void LocationClient::EndCall() {
  MutexLock lock(mu_);
  --calls_under_way_;
  idle_.SignalAll();
}

PositionForwarder::Open PositionStreams(location::v1::LocationService::StubInterface& stub,
                                        const std::string& market) {
  using Transport = rpc::ClientWriteStream<location::v1::ReportPositionsRequest,
                                           location::v1::ReportPositionsResponse>;
  return [start = Transport::Start([&stub, market](auto* context, auto* response, auto* reactor) {
            rpc::SetCaller(*context, kSelf);
            rpc::SetMarket(*context, market);
            stub.async()->ReportPositions(context, response, reactor);
          })](streams::WriteListener& listener) {
    return std::make_unique<Transport>(start, listener);
  };
}

}  // namespace ridestream::dispatch
