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
    latest_[progress.trip_id()] = std::move(*progress.mutable_progress());
  }
  if (first) stream_.Wake();
}

bool ProgressReporter::NextBatch(Request* request) {
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
