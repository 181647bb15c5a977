#pragma once

#include <map>
#include <string>

#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/rpc/report_stream.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"

namespace ridestream::dispatch {

/// Tells trip where the cars are. The latest of a trip replaces the older, so what waits is bounded
/// by the trips under way. Thread-safe.
class ProgressReporter {
 public:
  ProgressReporter(TimerQueue& timers, trip::v1::TripService::StubInterface& stub);
  ~ProgressReporter() { stream_.Stop(); }

  void Report(trip::v1::TripProgress progress);

 private:
  bool NextBatch(trip::v1::ReportProgressRequest* request);

  Mutex mu_;
  std::map<std::string, trip::v1::Progress> latest_ ABSL_GUARDED_BY(mu_);
  rpc::ReportStream<trip::v1::ReportProgressRequest, trip::v1::ReportProgressResponse> stream_;
};

}  // namespace ridestream::dispatch
