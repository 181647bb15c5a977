#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "libs/base/id.h"
#include "libs/base/mutex.h"
#include "libs/server_streams/push_stream.h"
#include "libs/tracing/span.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/trip/domain/trip_view.h"

namespace ridestream::trip {

/// One WatchTrip stream: the newest trip and progress, each replacing what the rider hasn't been
/// sent yet. Thread-safe. `mu_` is held while the stream is told, so that what leaves is in order;
/// the stream calls nothing back from there.
class TripWatcher {
 public:
  using Stream = streams::PushStream<v1::WatchTripResponse>;

  /// `on_done` is called once, when the transport has released the stream.
  static std::shared_ptr<TripWatcher> Make(streams::StreamWriter<v1::WatchTripResponse>& writer,
                                           TripId trip_id,
                                           std::function<void(TripWatcher*)> on_done);

  const TripId& trip_id() const { return trip_id_; }
  /// For the transport.
  const std::shared_ptr<Stream>& stream() const { return stream_; }

  /// The watcher may see the trip, which was this when it was read. Until then nothing is sent.
  void Begin(const v1::Trip& trip);
  /// The trip has changed.
  void OnTrip(const v1::Trip& trip);
  void OnProgress(const v1::Progress& progress);
  void Close(const absl::Status& status);

 private:
  explicit TripWatcher(TripId trip_id) : trip_id_(std::move(trip_id)) {}
  void Send() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TraceProgress() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnWritten();

  const TripId trip_id_;
  std::shared_ptr<Stream> stream_;  // Set once, before anybody else knows of this.
  Mutex mu_;
  bool begun_ ABSL_GUARDED_BY(mu_) = false;
  /// What is sent next.
  TripView view_ ABSL_GUARDED_BY(mu_);
  /// The first progress of this driver, until it is written.
  tracing::Span progress_span_ ABSL_GUARDED_BY(mu_);
  std::string traced_driver_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::trip
