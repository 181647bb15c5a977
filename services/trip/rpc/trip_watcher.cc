#include "services/trip/rpc/trip_watcher.h"

#include <utility>

#include "libs/rpc/status.h"
#include "services/trip/domain/names.h"

namespace ridestream::trip {

std::shared_ptr<TripWatcher> TripWatcher::Make(TripId trip_id,
                                               std::function<void(TripWatcher*)> on_done) {
  auto watcher = std::shared_ptr<TripWatcher>(new TripWatcher(std::move(trip_id)));
  // Weak: the watcher holds the stream.
  std::weak_ptr<TripWatcher> weak = watcher;
  watcher->stream_ = Stream::Make({.on_done = [weak, on_done = std::move(on_done)] {
    if (const auto self = weak.lock()) on_done(self.get());
  }});
  return watcher;
}

void TripWatcher::Begin(const v1::Trip& trip) {
  MutexLock lock(mu_);
  begun_ = true;
  TakeIfNewer(trip);
  Send();
}

void TripWatcher::OnTrip(const v1::Trip& trip) {
  MutexLock lock(mu_);
  const std::uint64_t version = newest_.trip().version();
  TakeIfNewer(trip);
  if (newest_.trip().version() != version) Send();
}

void TripWatcher::TakeIfNewer(const v1::Trip& trip) {
  const v1::Trip& known = newest_.trip();
  if (trip.version() <= known.version()) return;
  // Another driver's position says nothing any more, nor does the ETA at the pick-up once aboard.
  if (trip.driver().driver_id() != known.driver().driver_id() ||
      (trip.state() != known.state() && trip.state() != v1::TRIP_STATE_ARRIVED)) {
    newest_.clear_progress();
  }
  *newest_.mutable_trip() = trip;
}

void TripWatcher::OnProgress(const v1::Progress& progress) {
  MutexLock lock(mu_);
  const v1::Trip& trip = newest_.trip();
  if (!IsOpen(trip.state()) || !trip.has_driver()) return;
  *newest_.mutable_progress() = progress;
  Send();
}

void TripWatcher::Send() {
  if (!begun_) return;
  stream_->Replace(newest_);
  if (!IsOpen(newest_.trip().state())) stream_->Close(grpc::Status::OK);
}

void TripWatcher::Close(const absl::Status& status) { stream_->Close(rpc::ToGrpcStatus(status)); }

}  // namespace ridestream::trip
