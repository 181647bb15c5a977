#pragma once

#include "libs/base/clock.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// Sends dispatch's reports that aren't stored in the log from this process to the other trip
/// processes on the same database. Thread-safe, doesn't block. Reports of other processes arrive
/// through callbacks that are passed to the implementation when it is opened.
class ReportExchange {
 public:
  virtual ~ReportExchange() = default;

  /// Sends a trip's progress. It replaces progress of the trip that is still waiting to be sent,
  /// for example while the database is unreachable. Progress may be lost; the next report replaces
  /// it.
  virtual void Share(const v1::ReportProgressRequest& report) = 0;
  /// Sends a market's surge, reported at `at`. The newest report of a market counts, also for
  /// processes that start later.
  virtual void Share(const v1::ReportSurgeRequest& report, Time at) = 0;
};

}  // namespace ridestream::trip
