#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "libs/base/clock.h"
#include "libs/base/timer_queue.h"
#include "libs/streams/follow_stream.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/exporter/domain/position_export.h"

namespace ridestream::exporter {

/// Watches all drivers of a market during its lifetime, and passes each frame to the export.
class AreaWatch {
 public:
  struct Options {
    std::string market;
    /// Address of location, for the log.
    std::string address;
    /// Interval between two frames, 100 ms to 10 s.
    std::chrono::milliseconds every;
  };
  /// All must outlive this object.
  AreaWatch(Options options, location::v1::LocationService::StubInterface& location,
            TimerQueue& timers, const Clock& clock, PositionExport& positions);

 private:
  using Stream = streams::FollowStream<location::v1::WatchAreaResponse>;

  const Options options_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace ridestream::exporter
