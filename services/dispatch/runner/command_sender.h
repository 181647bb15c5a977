#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/drive/driver_session.h"
#include "services/dispatch/runner/market_lease.h"
#include "services/dispatch/runner/open_requests.h"
#include "services/dispatch/runner/ride_tracer.h"
#include "services/dispatch/runner/trip_port.h"

namespace ridestream::dispatch {

/// Sends a market's commands and surge prices to trip, and reports their outcomes to the market.
/// Each command and each report of surge carries the term of the market's lease. Without a term to
/// act in, and when trip refuses the term, the market learns that the outcome is open, so that it
/// sends the command again later. Thread-safe. References must outlive running calls, which end
/// with `trip`.
class CommandSender {
 public:
  struct Dependencies {
    TripPort& trip;
    OpenRequests& requests;
    EventSink& events;
    MarketLease& lease;
    /// Add this to a time of trip to get ours.
    std::function<Duration()> trip_to_ours;
    /// Called for each command that ended, with its name ("assign").
    std::function<void(const std::string&, absl::StatusCode)> on_ended;
    /// Null: rides are not traced.
    const RideTracer* rides = nullptr;
  };

  CommandSender(std::string market, Dependencies surroundings);

  void Send(TripCommand command);
  void Send(const SetSurge& surge);

 private:
  const std::string market_;
  const Dependencies dependencies_;
};

}  // namespace ridestream::dispatch
