#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"
#include "libs/server_streams/push_stream.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/location/domain/location_index.h"
#include "services/location/handlers/convert.h"

namespace ridestream::location {

/// All open WatchArea streams. Their frames are made by the timers' one thread: so viewers, however
/// many, never take more than a core from positions and queries.
///
/// A frame is pulled: the pause to the next one begins when the last has been written. For a viewer
/// that doesn't read, none is made, and nothing waits but that one. Thread-safe; outlives its
/// streams. Never holds `mu_` while a frame is made or a stream is called.
class AreaViewers {
 public:
  using Stream = streams::PushStream<v1::WatchAreaResponse>;
  using Writer = streams::StreamWriter<v1::WatchAreaResponse>;

  /// What it refers to must outlive it.
  AreaViewers(const LocationIndex& index, const Clock& clock, TimerPort& timers, size_t max_viewers)
      : index_(index), clock_(clock), timers_(timers), max_viewers_(max_viewers) {}

  /// A stream whose first frame comes at once. RESOURCE_EXHAUSTED when there are as many as
  /// allowed, UNAVAILABLE when draining.
  absl::StatusOr<std::shared_ptr<Stream>> Open(WatchedArea watched, Writer& writer);
  /// Closes all streams with UNAVAILABLE, and opens no more.
  void Drain();

 private:
  struct Viewer {
    explicit Viewer(WatchedArea what) : watched(std::move(what)), view(watched.area) {}
    const WatchedArea watched;
    // Only the thread of the timers is at it.
    AreaView view;
    std::shared_ptr<Stream> stream;
  };
  struct Entry {
    // Shared with the frame that is being made.
    std::shared_ptr<Viewer> viewer;
    /// Makes its next frame.
    TimerPort::Handle timer = 0;
  };

  void SendFrameAfter(std::uint64_t viewer_id, std::chrono::milliseconds pause);
  void SendFrame(std::uint64_t viewer_id);
  void Forget(std::uint64_t viewer_id);

  const LocationIndex& index_;
  const Clock& clock_;
  TimerPort& timers_;
  const size_t max_viewers_;
  Mutex mu_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  std::uint64_t last_viewer_id_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::uint64_t, Entry> viewers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::location
