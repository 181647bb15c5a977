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
  view_.Take(trip);
  Send();
}

void TripWatcher::OnTrip(const v1::Trip& trip) {
  MutexLock lock(mu_);
  if (view_.Take(trip)) Send();
}

void TripWatcher::OnProgress(const v1::Progress& progress) {
  MutexLock lock(mu_);
  if (view_.Take(progress)) Send();
}

void TripWatcher::Send() {
  if (!begun_) return;
  stream_->Replace(view_.message());
  if (!IsOpen(view_.message().trip().state())) stream_->Close(grpc::Status::OK);
}

void TripWatcher::Close(const absl::Status& status) { stream_->Close(rpc::ToGrpcStatus(status)); }

}  // namespace ridestream::trip
