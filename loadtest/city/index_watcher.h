#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "libs/base/geo.h"
#include "libs/base/timer_queue.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/streams/follow_stream.h"
#include "loadtest/report/tally.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::loadtest {

/// Watches the whole market in location's index, as a map would, and counts the positions of our
/// drivers that it is shown: each time that one of them is somewhere else than in the frame before.
///
/// That is a lower bound of the positions that reached the index, and can be no more than were
/// sent: of two that come between two frames only the newer is seen. Thread-safe.
class IndexWatcher {
 public:
  struct Options {
    std::string market;
    /// Begins the ids of our drivers.
    std::string driver_prefix;
    /// Pause between frames: several in the time between two reports of a driver, so that each is
    /// seen by itself.
    std::uint32_t interval_ms = 100;
  };
  /// `timers` and `tally` must outlive it.
  IndexWatcher(Options options, const roads::BoundingBox& bounds,
               const std::shared_ptr<grpc::Channel>& channel, TimerQueue& timers, Tally& tally);

  /// Waits until the stream has ended. Idempotent.
  void Stop() { stream_->Stop(); }

 private:
  using AreaStream = streams::FollowStream<location::v1::WatchAreaResponse>;
  bool OnFrame(const location::v1::WatchAreaResponse& frame);

  const Options options_;
  const std::unique_ptr<location::v1::LocationService::Stub> stub_;
  Tally& tally_;
  location::v1::WatchAreaRequest request_;
  absl::flat_hash_map<std::string, LatLng>
      places_;  // Only OnFrame's, which is called one at a time.
  std::unique_ptr<AreaStream> stream_;
};

}  // namespace ridestream::loadtest
