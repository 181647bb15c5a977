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

/// Handles drivers' messages about the trips of their plans: a step was made, a trip is given up,
/// the shift ends. Each message is checked and then sent to the trip service, which decides, or the
/// driver is sent the reason for its refusal. A repeated step is answered with the plan. Not
/// thread-safe.
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

  void Handle(const StopUpdated& event, Step& step);
  void Handle(const TripGivenUp& event, Step& step);
  /// `assigning`: a trip is being assigned to the driver.
  void Handle(const ShiftEnded& event, bool assigning, Step& step);
  /// The trip service has answered a request's command: sends the driver the reason for a refusal.
  void Settled(const PendingCommand& command, const absl::Status& status, Step& step);

 private:
  /// Checks the driver's step for plausibility and stores the verdict in `request`. Returns false
  /// if the step is refused; the driver has then been sent the reason.
  bool CheckPlausibility(const Driver& driver, OpenTrip& open, const v1::StopUpdate& update,
                         trip::v1::AdvanceTripRequest& request, Step& step);
  /// A step of a trip that isn't in the driver's plan.
  void AnswerForeign(const StopUpdated& event, Step& step);
  void AnswerForeign(const TripGivenUp& event, Step& step);
  /// Sends the driver the reason why a request for a trip outside its plan can't be carried out.
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
