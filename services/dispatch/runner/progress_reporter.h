#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"
#include "libs/streams/report_stream.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// Tells trip where the cars are. The latest of a trip replaces the older, so what waits is bounded
/// by the trips under way. Thread-safe.
class ProgressReporter {
 public:
  using Request = trip::v1::ReportProgressRequest;
  /// Opens a stream to trip.
  using Open =
      std::function<std::unique_ptr<streams::WriteStream<Request>>(streams::WriteListener&)>;

  ProgressReporter(TimerPort& timers, Open open);
  ~ProgressReporter() { stream_.Stop(); }

  void Report(trip::v1::TripProgress progress);

 private:
  bool NextBatch(Request* request);

  Mutex mu_;
  std::map<std::string, trip::v1::Progress> latest_ ABSL_GUARDED_BY(mu_);
  streams::ReportStream<Request> stream_;
};

}  // namespace ridestream::dispatch
