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

/// One WatchTrip stream: the newest trip and progress. Newer values replace those that weren't sent
/// yet. Thread-safe. `mu_` is held while values are passed to the stream, which keeps them in
/// order; the stream doesn't call back from there.
class TripWatcher {
 public:
  using Stream = streams::PushStream<v1::WatchTripResponse>;

  /// `on_done` is called once, after the transport has released the stream.
  static std::shared_ptr<TripWatcher> Make(streams::StreamWriter<v1::WatchTripResponse>& writer,
                                           TripId trip_id,
                                           std::function<void(TripWatcher*)> on_done);

  const TripId& trip_id() const { return trip_id_; }
  /// Called by the transport.
  const std::shared_ptr<Stream>& stream() const { return stream_; }

  /// The watcher may see the trip, whose record was this when it was read. Nothing is sent before
  /// this call.
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
  /// The next messages to send.
  TripView view_ ABSL_GUARDED_BY(mu_);
  /// The first progress of this driver, until it is written.
  tracing::Span progress_span_ ABSL_GUARDED_BY(mu_);
  std::string traced_driver_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::trip
