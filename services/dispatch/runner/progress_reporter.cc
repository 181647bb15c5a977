#include "services/dispatch/runner/progress_reporter.h"

#include <utility>

#include "libs/service/service.h"

namespace ridestream::dispatch {
namespace {

constexpr int kMaxBatch = 4'096;

}  // namespace

ProgressReporter::ProgressReporter(TimerPort& timers, Open open)
    : stream_(timers, {.open = std::move(open),
                       .fill = [this](Request* request) { return NextBatch(request); },
                       .linger = std::chrono::milliseconds(20),
                       .on_end =
                           [](const absl::Status& status) {
                             service::Log(service::Level::kWarning, "progress_stream_ended",
                                          {{"error", std::string(status.message())}});
                           }}) {}

void ProgressReporter::Report(trip::v1::TripProgress progress) {
  bool first = false;
  {
    MutexLock lock(mu_);
    first = latest_.empty();
    std::string trip_id = progress.trip_id();
    latest_[std::move(trip_id)] = std::move(progress);
  }
  if (first) stream_.Wake();
}

bool ProgressReporter::NextBatch(Request* request) {
  request->clear_trips();
  MutexLock lock(mu_);
  auto next = latest_.upper_bound(last_taken_);
  while (!latest_.empty() && request->trips_size() < kMaxBatch) {
    if (next == latest_.end()) next = latest_.begin();
    auto node = latest_.extract(next++);
    *request->add_trips() = std::move(node.mapped());
    last_taken_ = std::move(node.key());
  }
  return request->trips_size() > 0;
}

}  // namespace ridestream::dispatch
