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

/// All open WatchArea streams. The single timer thread makes their frames, so viewers never take
/// more than one core from positions and queries, however many they are.
/// The pause before a viewer's next frame begins when the previous frame has been written. A viewer
/// that doesn't read gets no further frames and delays nobody else. Thread-safe. Must outlive its
/// streams. Never holds `mu_` while it makes a frame or calls a stream.
class AreaViewers {
 public:
  using Stream = streams::PushStream<v1::WatchAreaResponse>;
  using Writer = streams::StreamWriter<v1::WatchAreaResponse>;

  /// The objects that the arguments refer to must outlive this one.
  AreaViewers(const LocationIndex& index, const Clock& clock, TimerPort& timers, size_t max_viewers)
      : index_(index), clock_(clock), timers_(timers), max_viewers_(max_viewers) {}

  /// Opens a stream, which sends its first frame at once. RESOURCE_EXHAUSTED when `max_viewers`
  /// streams are open, UNAVAILABLE while draining.
  absl::StatusOr<std::shared_ptr<Stream>> Open(WatchedArea watched, Writer& writer);
  /// Closes all streams with UNAVAILABLE and refuses new ones.
  void Drain();

 private:
  struct Viewer {
    explicit Viewer(WatchedArea what) : watched(std::move(what)), view(watched.area) {}
    const WatchedArea watched;
    // Used by the timer thread only.
    AreaView view;
    std::shared_ptr<Stream> stream;
  };
  struct Entry {
    // Shared, since a frame may be in progress when the viewer leaves.
    std::shared_ptr<Viewer> viewer;
    /// The timer of the viewer's next frame.
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
