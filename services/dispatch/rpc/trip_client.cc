#include "services/dispatch/rpc/trip_client.h"

#include <string>
#include <utility>
#include <variant>

#include "libs/rpc/call_span.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/client_streams.h"
#include "libs/rpc/market.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"

namespace ridestream::dispatch {
namespace {

static_assert(CallOptions::kMaxRequestIds == rpc::kMaxRequestIds);

const rpc::Caller kDispatch{rpc::CallerKind::kService, "dispatch"};

}  // namespace

TripClient::~TripClient() {
  MutexLock lock(mu_);
  while (calls_under_way_ > 0) idle_.Wait(mu_);
}

template <class Response, class Request, class Call, class OnDone>
void TripClient::Start(Request request, const CallOptions& options, Call call, OnDone done) {
  struct UnderWay {
    grpc::ClientContext context;
    Request request;
    Response response;
    tracing::Span span;
  };
  auto under_way = std::make_shared<UnderWay>();
  under_way->request = std::move(request);
  rpc::SetCaller(under_way->context, kDispatch);
  rpc::SetMarket(under_way->context, market_);
  rpc::SetTimeout(under_way->context, options.timeout);
  for (const std::string& id : options.request_ids) rpc::AddRequestId(under_way->context, id);
  under_way->span = rpc::StartClientSpan(
      under_way->context, under_way->request,
      tracing::ParseTraceContext(options.traceparent).value_or(tracing::SpanContext()));
  {
    MutexLock lock(mu_);
    ++calls_under_way_;
  }
  call(&under_way->context, &under_way->request, &under_way->response,
       [this, under_way, done = std::move(done)](const grpc::Status& status) {
         rpc::EndClientSpan(under_way->span, status);
         done(rpc::FromGrpcStatus(status, under_way->context), under_way->response);
         EndCall();
       });
}

void TripClient::EndCall() {
  MutexLock lock(mu_);
  --calls_under_way_;
  idle_.SignalAll();
}

template <class Response, class Request, class Call>
void TripClient::Command(Request request, const CallOptions& options, CommandEnded done,
                         Call call) {
  Start<Response>(std::move(request), options, call,
                  [done = std::move(done)](const absl::Status& status, Response& response) {
                    if (status.ok()) {
                      done(std::move(*response.mutable_trip()));
                    } else {
                      done(status);
                    }
                  });
}

void TripClient::Execute(TripRequest request, const CallOptions& options, CommandEnded done) {
  using namespace trip::v1;  // NOLINT(google-build-using-namespace): twelve names of one package.
  auto& trip = *stub_.async();
  if (auto* assign = std::get_if<AssignTripRequest>(&request)) {
    Command<AssignTripResponse>(std::move(*assign), options, std::move(done),
                                [&](auto... call) { trip.AssignTrip(std::move(call)...); });
  } else if (auto* advance = std::get_if<AdvanceTripRequest>(&request)) {
    Command<AdvanceTripResponse>(std::move(*advance), options, std::move(done),
                                 [&](auto... call) { trip.AdvanceTrip(std::move(call)...); });
  } else if (auto* release = std::get_if<ReleaseTripRequest>(&request)) {
    Command<ReleaseTripResponse>(std::move(*release), options, std::move(done),
                                 [&](auto... call) { trip.ReleaseTrip(std::move(call)...); });
  } else if (auto* give_up = std::get_if<GiveUpTripRequest>(&request)) {
    Command<GiveUpTripResponse>(std::move(*give_up), options, std::move(done),
                                [&](auto... call) { trip.GiveUpTrip(std::move(call)...); });
  } else if (auto* lost = std::get_if<ReportDriverLostRequest>(&request)) {
    Command<ReportDriverLostResponse>(
        std::move(*lost), options, std::move(done),
        [&](auto... call) { trip.ReportDriverLost(std::move(call)...); });
  } else if (auto* cancel = std::get_if<CancelTripRequest>(&request)) {
    Command<CancelTripResponse>(std::move(*cancel), options, std::move(done),
                                [&](auto... call) { trip.CancelTrip(std::move(call)...); });
  }
}

void TripClient::ReportSurge(trip::v1::ReportSurgeRequest request, const CallOptions& options,
                             SurgeEnded done) {
  Start<trip::v1::ReportSurgeResponse>(
      std::move(request), options,
      [this](auto... call) { stub_.async()->ReportSurge(std::move(call)...); },
      [done = std::move(done)](const absl::Status& status, const auto&) { done(status); });
}

namespace {

/// The response, or the error.
template <class Response>
auto OrStatus(LeasePort::Done<Response> done) {
  return [done = std::move(done)](const absl::Status& status, Response& response) {
    if (!status.ok()) return done(status);
    done(std::move(response));
  };
}

}  // namespace

void TripClient::Acquire(trip::v1::AcquireLeaseRequest request, const CallOptions& options,
                         Done<trip::v1::AcquireLeaseResponse> done) {
  Start<trip::v1::AcquireLeaseResponse>(
      std::move(request), options,
      [this](auto... call) { stub_.async()->AcquireLease(std::move(call)...); },
      OrStatus(std::move(done)));
}

void TripClient::Renew(trip::v1::RenewLeaseRequest request, const CallOptions& options,
                       Done<trip::v1::RenewLeaseResponse> done) {
  Start<trip::v1::RenewLeaseResponse>(
      std::move(request), options,
      [this](auto... call) { stub_.async()->RenewLease(std::move(call)...); },
      OrStatus(std::move(done)));
}

void TripClient::Release(trip::v1::ReleaseLeaseRequest request, const CallOptions& options,
                         Done<trip::v1::ReleaseLeaseResponse> done) {
  Start<trip::v1::ReleaseLeaseResponse>(
      std::move(request), options,
      [this](auto... call) { stub_.async()->ReleaseLease(std::move(call)...); },
      OrStatus(std::move(done)));
}

std::unique_ptr<streams::ReadStream> TripClient::FollowTrips(trip::v1::FollowTripsRequest request,
                                                             LogListener& listener) {
  return std::make_unique<
      rpc::ClientReadStream<trip::v1::FollowTripsRequest, trip::v1::FollowTripsResponse>>(
      [&](auto* context, auto* wire, auto* reactor) {
        rpc::SetCaller(*context, kDispatch);
        rpc::SetMarket(*context, market_);
        *wire = request;
        stub_.async()->FollowTrips(context, wire, reactor);
      },
      listener);
}

ProgressReporter::Open ProgressStreams(trip::v1::TripService::StubInterface& stub) {
  using Transport =
      rpc::ClientWriteStream<trip::v1::ReportProgressRequest, trip::v1::ReportProgressResponse>;
  return [start = Transport::Start([&stub](auto* context, auto* response, auto* reactor) {
            rpc::SetCaller(*context, kDispatch);
            stub.async()->ReportProgress(context, response, reactor);
          })](streams::WriteListener& listener) {
    return std::make_unique<Transport>(start, listener);
  };
}

}  // namespace ridestream::dispatch
