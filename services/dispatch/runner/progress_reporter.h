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

/// Reports the cars' progress to the trip service. A trip's latest progress replaces an older one,
/// so the queue is bounded by the number of trips. Each trip gets its turn, however slow the trip
/// service is. Each entry names its market and the term of the market's lease. A stream that ends
/// because a term is over is opened again. Thread-safe.
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
  std::map<std::string, trip::v1::TripProgress> latest_ ABSL_GUARDED_BY(mu_);  // By trip.
  std::string last_taken_ ABSL_GUARDED_BY(mu_);  // The trip after which the next batch begins.
  streams::ReportStream<Request> stream_;
};

}  // namespace ridestream::dispatch
