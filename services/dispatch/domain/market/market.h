#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/assignment/matchmaker.h"
#include "services/dispatch/domain/demand/demand.h"
#include "services/dispatch/domain/demand/demand_map.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/drivers/lost_drivers.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/requests/driver_requests.h"
#include "services/dispatch/domain/requests/step_claim.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/domain/trips/trip_commands.h"

namespace ridestream::dispatch {

struct MarketConfig {
  MarketId market = {};
  /// Time for a driver to answer an offer.
  Duration offer_lease = std::chrono::seconds(15);
  /// How long after the lease an answer is still accepted, to cover its time on the wire. The offer
  /// expires afterwards.
  Duration accept_grace = std::chrono::milliseconds(500);
  /// Time from the start of one matching round to the next while trips wait.
  Duration match_every = std::chrono::seconds(1);
  MatchingMethod matching = MatchingMethod::kAssignment;
  MatchingCosts matching_costs = {};
  /// Time limit of a round's solver. Trips that remain are paired greedily, and the round is
  /// counted.
  StartDeadline matching_deadline = NoDeadline();
  SharingConfig sharing = {};
  /// Search radius of a trip's first round. It doubles with each further round, up to the maximum.
  std::uint32_t radius_m = 2'000;
  std::uint32_t max_radius_m = 10'000;
  /// Time without a driver after which a trip is given up, after a last round. It starts again
  /// after a restart of dispatch.
  Duration max_wait = std::chrono::minutes(5);
  /// Longest time for which matching keeps a trip waiting for a nearer car although a driver that
  /// no other trip needs is within the limits.
  Duration price_hold = std::chrono::seconds(10);
  /// A suspect driver's trips are given to others after this, if not aboard.
  Duration lost_after = std::chrono::seconds(30);
  /// A trip whose driver was lost with the rider aboard is cancelled after this, unless the driver
  /// is heard again. After a restart of dispatch the time starts again.
  Duration abandon_after = std::chrono::minutes(10);
  /// Pause before a trip command whose outcome is unknown is sent again.
  RetryPauses command_retry = {std::chrono::seconds(1), std::chrono::seconds(15)};
  /// How long to wait for the trip log to show a change that a response of the trip service
  /// implies.
  Duration log_patience = std::chrono::seconds(1);
  DemandConfig demand = {};
  ImplausibleSteps implausible_steps = ImplausibleSteps::kCount;
  /// Makes offer ids unique over restarts of the process.
  std::string offer_id_prefix = {};
};

/// The domain of one market: waiting trips, drivers, offers and plans. Deterministic: the same
/// events at the same times give the same decisions. Reads no clock and makes no calls. Not
/// thread-safe: its owner feeds it one event after the other.
///
/// Preconditions: every FindCandidates, FindRoute and TripCommand is answered exactly once,
/// possibly by an error. The trip log arrives in order, starting at the oldest open trip, and after
/// a break at the last sequence, so that a trip's end is never followed by an older record of a
/// trip that the market has dropped.
/// This class passes each event to the parts that it concerns: `TripBook` holds the trips,
/// `Matchmaker` finds their drivers, `Fleet` holds the drivers' plans, `DriverRequests` handles
/// drivers' commands for their trips, `LostDrivers` the trips of drivers who fell silent,
/// `TripCommands` sends decisions to the trip service, and `Demand` compares where riders request
/// trips with where cars are free.
class Market {
 public:
  explicit Market(const MarketConfig& config);
  // A market's parts refer to each other.
  Market(const Market&) = delete;
  Market& operator=(const Market&) = delete;

  /// Handles one event. `now` must not decrease. The caller must carry out the decisions in order.
  /// Timers that are due by `now` fire before the event, even without a Wake.
  std::vector<Decision> Handle(const Event& event, Time now);

  /// When to send Wake at the latest, if at all.
  std::optional<Time> NextWake() const { return timers_.Next(); }

  /// Matching rounds whose solver was stopped by its deadline.
  std::uint64_t rounds_out_of_time() const { return matchmaker_.rounds_out_of_time(); }
  /// Number of trips whose riders were notified of a broken promise.
  std::uint64_t promises_broken() const { return fleet_.promises().broken(); }
  /// Number of ETAs that were corrected for riders.
  std::uint64_t eta_corrections() const { return fleet_.promises().eta_corrections(); }

 private:
  void On(const DriverConnected& event, Step& step);
  void On(const DriverDisconnected& event, Step& step);
  void On(const DriverSuspect& event, Step& step);
  void On(const DriverHeard& event, Step& step);
  void On(const SessionDropped& event, Step& step);
  void On(const DriverMoved& event, Step& step);
  void On(const OfferAnswered& event, Step& step);
  void On(const StopUpdated& event, Step& step);
  void On(const TripGivenUp& event, Step& step);
  void On(const ShiftEnded& event, Step& step);
  void On(const TripLogged& event, Step& step);
  void On(const LogCaughtUp& event, Step& step);
  void On(const CandidatesFound& event, Step& step);
  void On(const RouteFound& event, Step& step);
  void On(const CommandDone& event, Step& step);
  void On(const FleetSurveyed& event, Step& step);
  void On(const Wake&, Step&) {}

  void OnTimer(const Timer& timer, Step& step);
  void ApplyTrip(const trip::v1::Trip& trip, Step& step);
  void ForgetTrip(const TripId& trip, Step& step);
  /// Continues after the trip service has refused or carried out a command.
  void CommandSettled(const PendingCommand& command, const absl::Status& status, Step& step);

  const MarketId market_;
  bool caught_up_ = false;
  Timers timers_;
  TripBook trips_;
  TripCommands commands_;
  Fleet fleet_;
  Matchmaker matchmaker_;
  DriverRequests requests_;
  LostDrivers lost_drivers_;
  Demand demand_;
};

}  // namespace ridestream::dispatch
