#include "services/dispatch/rpc/progress_reporter.h"

#include <utility>

#include "libs/rpc/caller.h"
#include "libs/service/service.h"

namespace ridestream::dispatch {
namespace {

constexpr int kMaxBatch = 4'096;

}  // namespace

ProgressReporter::ProgressReporter(TimerQueue& timers, trip::v1::TripService::StubInterface& stub)
    : stream_(
          timers,
          {.open =
               [&stub](grpc::ClientContext* context, trip::v1::ReportProgressResponse* response,
                       grpc::ClientWriteReactor<trip::v1::ReportProgressRequest>* reactor) {
                 rpc::SetCaller(*context, {rpc::CallerKind::kService, "dispatch"});
                 stub.async()->ReportProgress(context, response, reactor);
               },
           .fill = [this](trip::v1::ReportProgressRequest* request) { return NextBatch(request); },
           .linger = std::chrono::milliseconds(20),
           .on_end =
               [](const grpc::Status& status) {
                 service::Log(service::Level::kWarning, "progress_stream_ended",
                              {{"error", status.error_message()}});
               }}) {}

void ProgressReporter::Report(trip::v1::TripProgress progress) {
  bool first = false;
  {
    MutexLock lock(mu_);
    first = latest_.empty();
    latest_[progress.trip_id()] = std::move(*progress.mutable_progress());
  }
  if (first) stream_.Wake();
}

bool ProgressReporter::NextBatch(trip::v1::ReportProgressRequest* request) {
  request->clear_trips();
  MutexLock lock(mu_);
  while (!latest_.empty() && request->trips_size() < kMaxBatch) {
    auto node = latest_.extract(latest_.begin());
    auto& entry = *request->add_trips();
    entry.set_trip_id(node.key());
    *entry.mutable_progress() = std::move(node.mapped());
  }
  return request->trips_size() > 0;
}

}  // namespace ridestream::dispatch
