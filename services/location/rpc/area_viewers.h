#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/rpc/push_stream.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/location/domain/location_index.h"
#include "services/location/rpc/convert.h"

namespace ridestream::location {

/// All open WatchArea streams, and the one thread that makes their frames: so viewers, however
/// many, never take more than a core from positions and queries.
///
/// A frame is pulled: the pause to the next one begins when the last has been written. For a viewer
/// that doesn't read, none is made, and nothing waits but that one. Thread-safe; outlives its
/// streams. `mu_` is held alone: never while a frame is made or a stream is called.
class AreaViewers {
 public:
  using Stream = rpc::PushStream<v1::WatchAreaResponse>;

  AreaViewers(const LocationIndex& index, const Clock& clock, size_t max_viewers)
      : index_(index), clock_(clock), max_viewers_(max_viewers) {}

  /// A stream whose first frame comes at once. RESOURCE_EXHAUSTED when there are as many as
  /// allowed, UNAVAILABLE when draining.
  absl::StatusOr<std::shared_ptr<Stream>> Open(WatchedArea watched);
  /// Closes all streams with UNAVAILABLE, and opens no more.
  void Drain();

 private:
  struct Viewer {
    explicit Viewer(WatchedArea what) : watched(std::move(what)), view(watched.area) {}
    const WatchedArea watched;
    // Only the thread of `timers_` is at it.
    AreaView view;
    std::shared_ptr<Stream> stream;
  };

  void SendFrame(std::uint64_t viewer_id);
  void Forget(std::uint64_t viewer_id);

  const LocationIndex& index_;
  const Clock& clock_;
  const size_t max_viewers_;
  Mutex mu_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  std::uint64_t last_viewer_id_ ABSL_GUARDED_BY(mu_) = 0;
  // Shared with the frame that is being made.
  absl::flat_hash_map<std::uint64_t, std::shared_ptr<Viewer>> viewers_ ABSL_GUARDED_BY(mu_);
  // Last, so that its thread ends first.
  TimerQueue timers_;
};

}  // namespace ridestream::location
