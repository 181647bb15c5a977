#pragma once

#include "libs/base/clock.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// Passes what dispatch reports to this process, and nobody logs, on to the other trip processes of
/// one database. Thread-safe; doesn't block. What the others report comes by callbacks that an
/// implementation is given when it is opened.
class ReportExchange {
 public:
  virtual ~ReportExchange() = default;

  /// The newest progress of a trip replaces what waits to be passed on. While the database can't be
  /// reached it waits; some may be lost, and the next report makes up for it.
  virtual void Share(const v1::ReportProgressRequest& report) = 0;
  /// `at`: when it was reported. The newest report of a market counts, also for processes that
  /// start later.
  virtual void Share(const v1::ReportSurgeRequest& report, Time at) = 0;
};

}  // namespace ridestream::trip
