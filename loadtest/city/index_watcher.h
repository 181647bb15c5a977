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

/// Watches the whole market in location's index, as a map does, and counts the positions of our
/// drivers that it sees: each time that a driver's place differs from the previous frame.
///
/// The count is a lower bound of the positions that reached the index, and at most the number sent:
/// if two arrive between two frames, only the newer is seen. Thread-safe.
class IndexWatcher {
 public:
  struct Options {
    std::string market;
    /// The prefix of our drivers' ids.
    std::string driver_prefix;
    /// Pause between frames: shorter than the time between two reports of a driver, so that each
    /// report is seen.
    std::uint32_t interval_ms = 100;
  };
  /// `timers` and `tally` must outlive this object.
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
      places_;  // Used by OnFrame only, which is called one at a time.
  std::unique_ptr<AreaStream> stream_;
};

}  // namespace ridestream::loadtest
