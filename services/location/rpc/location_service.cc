#include "services/location/rpc/location_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "libs/base/validation.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"
#include "libs/service/service.h"
#include "services/location/rpc/convert.h"

namespace ridestream::location {

LocationService::LocationService(const LocationServiceOptions& options, const Clock& clock,
                                 const rpc::Authenticator& authenticator)
    : clock_(clock),
      markets_(options.markets),
      guard_(authenticator, markets_),
      proofs_(authenticator),
      on_batch_(options.on_batch),
      index_(options.index),
      viewers_(index_, clock, options.max_viewers) {}

void LocationService::Drain() {
  std::vector<std::shared_ptr<PositionReader>> reporters;
  {
    MutexLock lock(mu_);
    draining_ = true;
    for (const auto& [raw, stream] : reporters_) reporters.push_back(stream);
  }
  for (const auto& stream : reporters) {
    stream->Close(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                               "location is shutting down; open the stream again"));
  }
  viewers_.Drain();
}

grpc::ServerReadReactor<grpc::ByteBuffer>* LocationService::ReportPositions(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  const auto stream = PositionReader::Make(index_, clock_, markets_, *response, on_batch_,
                                           [this](PositionReader* done) { RemoveReporter(done); });
  if (absl::Status status = AddReporter(*context, stream); status.ok()) {
    stream->ReadNext();
  } else {
    stream->Close(rpc::ToGrpcStatus(status, context));
  }
  return stream.get();
}

absl::Status LocationService::AddReporter(const grpc::CallbackServerContext& context,
                                          const std::shared_ptr<PositionReader>& stream) {
  const auto admission = guard_.AdmitCaller<v1::ReportPositionsRequest>(context);
  if (!admission.ok()) return admission.status();
  MutexLock lock(mu_);
  if (draining_) return absl::UnavailableError("location is shutting down");
  reporters_.emplace(stream.get(), stream);
  return absl::OkStatus();
}

void LocationService::RemoveReporter(PositionReader* stream) {
  MutexLock lock(mu_);
  reporters_.erase(stream);
}

grpc::ServerUnaryReactor* LocationService::FindNearest(grpc::CallbackServerContext* context,
                                                       const v1::FindNearestRequest* request,
                                                       v1::FindNearestResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::Status status = Answer(*context, *request, *response);
  for (const std::string& id : rpc::RequestIds(*context)) {
    service::Log(service::Level::kInfo, "nearest_searched",
                 {{"request", id},
                  {"market", request->market()},
                  {"queries", std::to_string(request->queries_size())},
                  {"error", status.ok() ? "" : status.ToString()}});
  }
  reactor->Finish(rpc::ToGrpcStatus(status, context));
  return reactor;
}

absl::Status LocationService::Answer(const grpc::CallbackServerContext& context,
                                     const v1::FindNearestRequest& request,
                                     v1::FindNearestResponse& response) {
  const auto admission = guard_.Admit(context, request);
  if (!admission.ok()) return admission.status();
  const absl::StatusOr<std::vector<NearestQuery>> queries = ToQueries(request);
  if (!queries.ok()) return queries.status();
  absl::Status served = markets_.Check(request.market(), "market");
  if (!served.ok()) return served;
  queries_.Add(queries->size());
  const Time now = clock_.Now();
  size_t drivers = 0;
  for (size_t at = 0; at < queries->size(); at += LocationIndex::kQueriesPerLock) {
    if (context.IsCancelled()) return absl::CancelledError("the caller has gone");
    const auto portion = std::span(*queries).subspan(
        at, std::min(LocationIndex::kQueriesPerLock, queries->size() - at));
    for (const NearbyDrivers& found : index_.FindNearest(request.market(), portion, now)) {
      drivers += found.size();
      if (drivers > kMaxDriversPerCall) {
        return absl::ResourceExhaustedError(
            fmt::format("queries: the answers hold more than {} drivers; ask fewer questions a "
                        "call, or with lower limits",
                        kMaxDriversPerCall));
      }
      auto& message = *response.add_results()->mutable_drivers();
      message.Reserve(static_cast<int>(found.size()));
      for (const NearbyDriver& driver : found) ToProto(driver, *message.Add());
    }
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* LocationService::GetIndexStats(grpc::CallbackServerContext* context,
                                                         const v1::GetIndexStatsRequest* request,
                                                         v1::GetIndexStatsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::Status status = guard_.Admit(*context, *request).status();
  if (status.ok()) status = ValidateId(request->market(), "market");
  if (status.ok()) status = markets_.Check(request->market(), "market");
  if (status.ok()) {
    const LocationIndex::Stats stats = index_.GetStats(request->market());
    response->set_drivers(stats.drivers);
    response->set_applied(stats.positions.applied);
    response->set_superseded(stats.positions.superseded);
    response->set_rejected(stats.positions.rejected);
  }
  reactor->Finish(rpc::ToGrpcStatus(status, context));
  return reactor;
}

grpc::ServerWriteReactor<v1::WatchAreaResponse>* LocationService::WatchArea(
    grpc::CallbackServerContext* context, const v1::WatchAreaRequest* request) {
  const auto stream = OpenView(*context, *request);
  if (stream.ok()) return stream->get();
  const auto refused = AreaViewers::Stream::Make({});
  refused->Close(rpc::ToGrpcStatus(stream.status(), context));
  return refused.get();
}

absl::StatusOr<std::shared_ptr<AreaViewers::Stream>> LocationService::OpenView(
    const grpc::CallbackServerContext& context, const v1::WatchAreaRequest& request) {
  const auto admission = guard_.Admit(context, request);
  if (!admission.ok()) return admission.status();
  absl::StatusOr<WatchedArea> watched = ToWatchedArea(request);
  if (!watched.ok()) return watched.status();
  absl::Status served = markets_.Check(request.market(), "market");
  if (!served.ok()) return served;
  auto stream = viewers_.Open(*std::move(watched));
  if (stream.ok()) proofs_.Add(*admission, *stream);
  return stream;
}

}  // namespace ridestream::location
