#include "services/trip/handlers/trip_watcher.h"

#include <utility>

#include "libs/tracing/process_tracer.h"
#include "services/trip/domain/names.h"

namespace ridestream::trip {

std::shared_ptr<TripWatcher> TripWatcher::Make(streams::StreamWriter<v1::WatchTripResponse>& writer,
                                               TripId trip_id,
                                               std::function<void(TripWatcher*)> on_done) {
  auto watcher = std::shared_ptr<TripWatcher>(new TripWatcher(std::move(trip_id)));
  // Weak: the watcher holds the stream.
  std::weak_ptr<TripWatcher> weak = watcher;
  Stream::Options stream_options{.on_done =
                                     [weak, on_done = std::move(on_done)] {
                                       if (const auto self = weak.lock()) on_done(self.get());
                                     },
                                 .on_drained =
                                     [weak] {
                                       if (const auto self = weak.lock()) self->OnWritten();
                                     }};
  watcher->stream_ = std::make_shared<Stream>(writer, std::move(stream_options));
  return watcher;
}

void TripWatcher::Begin(const v1::Trip& trip) {
  MutexLock lock(mu_);
  begun_ = true;
  view_.Take(trip);
  Send();
}

void TripWatcher::OnTrip(const v1::Trip& trip) {
  MutexLock lock(mu_);
  if (view_.Take(trip)) Send();
}

void TripWatcher::OnProgress(const v1::Progress& progress) {
  MutexLock lock(mu_);
  if (!view_.Take(progress)) return;
  if (tracing::ProcessTracer() != nullptr) TraceProgress();
  Send();
}

/// The first progress of each driver ends what the rider waits for after the request; the later
/// ones would only lengthen the trace.
void TripWatcher::TraceProgress() {
  const v1::Trip& trip = view_.message().trip();
  if (!begun_ || trip.driver().driver_id() == traced_driver_) return;
  const auto request = tracing::ParseTraceContext(trip.traceparent());
  if (!request || !request->sampled) return;
  traced_driver_ = trip.driver().driver_id();
  progress_span_ = tracing::StartSpan("ridestream.trip.progress", {.parent = *request});
  progress_span_.SetAttribute("ridestream.trip.id", trip.trip_id());
  progress_span_.SetAttribute("ridestream.driver.id", traced_driver_);
}

void TripWatcher::OnWritten() {
  if (tracing::ProcessTracer() == nullptr) return;
  MutexLock lock(mu_);
  progress_span_.End();
}

void TripWatcher::Send() {
  if (!begun_) return;
  stream_->Replace(view_.message());
  if (!IsOpen(view_.message().trip().state())) stream_->Close(absl::OkStatus());
}

void TripWatcher::Close(const absl::Status& status) { stream_->Close(status); }

}  // namespace ridestream::trip
