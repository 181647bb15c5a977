#pragma once

#include "absl/status/status.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/requests/step_claim.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/domain/trips/trip_commands.h"

namespace ridestream::dispatch {

/// Handles drivers' messages about the trips of their plans: that a step was made, that a trip is
/// given up, that the shift is over. Each is checked, and then sent to trip, which decides; or the
/// driver gets the reason. A repeated step is answered by the plan. Not thread-safe.
class DriverRequests {
 public:
  /// All must outlive this object.
  DriverRequests(MarketId market, ImplausibleSteps implausible_steps, TripBook& trips,
                 TripCommands& commands, Fleet& fleet)
      : market_(std::move(market)),
        implausible_steps_(implausible_steps),
        trips_(trips),
        commands_(commands),
        fleet_(fleet) {}

  void Take(const StopUpdated& event, Step& step);
  void Take(const TripGivenUp& event, Step& step);
  /// `assigning`: a trip is about to become the driver's.
  void Take(const ShiftEnded& event, bool assigning, Step& step);
  /// Trip has answered the command of a request: sends the driver the reason of a refusal.
  void Settled(const PendingCommand& command, const absl::Status& status, Step& step);

 private:
  /// Judges the driver's step and notes the result in `request`. False: the step is refused, and
  /// the driver got the reason.
  bool TakeAtItsWord(const Driver& driver, OpenTrip& open, const v1::StopUpdate& update,
                     trip::v1::AdvanceTripRequest& request, Step& step);
  /// A step of a trip that isn't in the driver's plan.
  void AnswerForeign(const StopUpdated& event, Step& step);
  void AnswerForeign(const TripGivenUp& event, Step& step);
  /// Tells the driver why its request about a trip that isn't in its plan can't be carried out.
  template <class Request>
  void RejectForeign(const DriverId& driver, const Request& request, Step& step);
  template <class Request>
  void Reject(const DriverId& driver, const Request& request, const absl::Status& why, Step& step);

  const MarketId market_;
  const ImplausibleSteps implausible_steps_;
  TripBook& trips_;
  TripCommands& commands_;
  Fleet& fleet_;
};

}  // namespace ridestream::dispatch
