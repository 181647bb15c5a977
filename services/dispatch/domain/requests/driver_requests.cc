#include "services/dispatch/domain/requests/driver_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "libs/base/invariant.h"

namespace ridestream::dispatch {
namespace {

/// UNSPECIFIED for an action that isn't one.
trip::v1::TripState StateAfter(v1::StopAction action) {
  switch (action) {
    case v1::STOP_ACTION_ARRIVED:
      return trip::v1::TRIP_STATE_ARRIVED;
    case v1::STOP_ACTION_PICKED_UP:
      return trip::v1::TRIP_STATE_ABOARD;
    case v1::STOP_ACTION_DROPPED_OFF:
      return trip::v1::TRIP_STATE_COMPLETED;
    default:
      return trip::v1::TRIP_STATE_UNSPECIFIED;
  }
}

void SetRequest(v1::Rejected& rejected, const v1::StopUpdate& update) {
  *rejected.mutable_stop_update() = update;
}
void SetRequest(v1::Rejected& rejected, const v1::GiveUp& give_up) {
  *rejected.mutable_give_up() = give_up;
}
void SetRequest(v1::Rejected& rejected, const v1::EndShift& end_shift) {
  *rejected.mutable_end_shift() = end_shift;
}

}  // namespace

template <class Request>
void DriverRequests::Reject(const DriverId& driver, const Request& request, const absl::Status& why,
                            Step& step) {
  v1::Rejected rejected;
  SetRequest(rejected, request);
  rejected.set_code(static_cast<v1::RejectionCode>(why.code()));
  rejected.set_message(std::string(why.message()));
  fleet_.PushRejected(driver, std::move(rejected), step);
}

void DriverRequests::Handle(const StopUpdated& event, Step& step) {
  const Driver* driver = fleet_.Find(event.driver);
  if (driver == nullptr) return;
  const trip::v1::TripState to = StateAfter(event.update.action());
  if (to == trip::v1::TRIP_STATE_UNSPECIFIED) {
    const auto why = absl::InvalidArgumentError(fmt::format(
        "stop_update.action: {} is not an action", static_cast<int>(event.update.action())));
    Reject(event.driver, event.update, why, step);
    return;
  }
  const TripId id(event.update.trip_id());
  if (!driver->plan.Has(id)) {
    AnswerForeign(event, step);
    return;
  }
  OpenTrip* open = trips_.Find(id);
  if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip in a plan is open")) return;
  if (open->trip.state() >= to) {  // A repeat of what is done.
    fleet_.RepeatPlan(event.driver, v1::PLAN_CAUSE_STOP_DONE, AnswerTo(event.update), step);
    return;
  }
  trip::v1::AdvanceTripRequest request;
  request.set_trip_id(id.str());
  request.set_driver_id(event.driver.str());
  request.set_to(to);
  if (commands_.IsWaiting(request) ||
      CheckPlausibility(*driver, *open, event.update, request, step)) {
    commands_.Send(std::move(request), event.update, step);
  }
}

bool DriverRequests::CheckPlausibility(const Driver& driver, OpenTrip& open,
                                       const v1::StopUpdate& update,
                                       trip::v1::AdvanceTripRequest& request, Step& step) {
  const StepVerdict verdict = Judge(MakeClaim(driver, open, request.to(), step.now()));
  const bool refused =
      implausible_steps_ == ImplausibleSteps::kRefuse && IsImplausible(verdict.plausibility);
  step.Decide(StepJudged{driver.id, TripId(request.trip_id()), request.to(), verdict.plausibility,
                         verdict.distance_m, refused});
  if (refused) {
    Reject(driver.id, update, RefusalOf(verdict), step);
    return false;
  }
  request.set_plausibility(verdict.plausibility);
  request.set_distance_m(verdict.distance_m);
  if (request.to() == trip::v1::TRIP_STATE_ABOARD) open.picked_up_at = step.now();
  return true;
}

void DriverRequests::AnswerForeign(const StopUpdated& event, Step& step) {
  const EndedTrip* ended = trips_.FindEnded(TripId(event.update.trip_id()));
  if (ended != nullptr && ended->state == trip::v1::TRIP_STATE_COMPLETED &&
      ended->driver == event.driver) {
    fleet_.RepeatPlan(event.driver, v1::PLAN_CAUSE_STOP_DONE, AnswerTo(event.update), step);
  } else {
    RejectForeign(event.driver, event.update, step);
  }
}

void DriverRequests::Handle(const TripGivenUp& event, Step& step) {
  const Driver* driver = fleet_.Find(event.driver);
  if (driver == nullptr) return;
  if (!v1::GiveUpCause_IsValid(event.give_up.cause())) {
    const auto why = absl::InvalidArgumentError(
        fmt::format("give_up.cause: {} is not a cause", static_cast<int>(event.give_up.cause())));
    Reject(event.driver, event.give_up, why, step);
    return;
  }
  const TripId id(event.give_up.trip_id());
  if (!driver->plan.Has(id)) {
    AnswerForeign(event, step);
    return;
  }
  if (driver->plan.IsAboard(id)) {
    const auto why = absl::FailedPreconditionError(
        fmt::format("trip {}: the rider is aboard; drive them to the drop-off", id));
    Reject(event.driver, event.give_up, why, step);
    return;
  }
  const OpenTrip* open = trips_.Find(id);
  if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip in a plan is open")) return;
  const bool at_pickup = open->trip.state() == trip::v1::TRIP_STATE_ARRIVED ||
                         commands_.IsPending<trip::v1::AdvanceTripRequest>(id);
  const v1::GiveUpCause cause = event.give_up.cause();
  const bool no_show =
      cause == v1::GIVE_UP_CAUSE_NO_SHOW || (cause == v1::GIVE_UP_CAUSE_UNSPECIFIED && at_pickup);
  trip::v1::ReleaseTripRequest request;
  request.set_trip_id(id.str());
  request.set_driver_id(event.driver.str());
  request.set_reason(no_show ? trip::v1::RELEASE_REASON_NO_SHOW
                             : trip::v1::RELEASE_REASON_DRIVER_GAVE_UP);
  request.set_note(event.give_up.reason());
  commands_.Send(std::move(request), event.give_up, step);
}

void DriverRequests::AnswerForeign(const TripGivenUp& event, Step& step) {
  const TripId id(event.give_up.trip_id());
  const OpenTrip* open = trips_.Find(id);
  const bool repeat =
      open != nullptr && std::count(open->trip.released_driver_ids().begin(),
                                    open->trip.released_driver_ids().end(), event.driver.str()) > 0;
  const EndedTrip* ended = trips_.FindEnded(id);
  if (repeat) {
    fleet_.RepeatPlan(event.driver, v1::PLAN_CAUSE_REASSIGNED, AnswerTo(event.give_up), step);
  } else if (ended != nullptr && ended->by_driver && ended->driver == event.driver) {
    fleet_.RepeatPlan(event.driver, v1::PLAN_CAUSE_RIDER_CANCELLED, AnswerTo(event.give_up), step);
  } else {
    RejectForeign(event.driver, event.give_up, step);
  }
}

void DriverRequests::Handle(const ShiftEnded& event, bool assigning, Step& step) {
  const Driver* driver = fleet_.Find(event.driver);
  if (driver == nullptr || driver->epoch != event.epoch) return;
  if (driver->plan.empty() && !assigning) {
    step.Decide(EndSession{event.driver, event.epoch});
    return;
  }
  const auto why = absl::FailedPreconditionError(
      assigning ? "end_shift: a trip is being assigned to this driver"
                : "end_shift: the plan has stops; finish its trips or give them up first");
  Reject(event.driver, v1::EndShift(), why, step);
}

void DriverRequests::Settled(const PendingCommand& command, const absl::Status& status,
                             Step& step) {
  const DriverId driver = DriverOf(command.request);
  const auto settle = [&](const auto& request, v1::PlanCause cause) {
    if (!status.ok()) {
      Reject(driver, request, status, step);
    } else if (!fleet_.caught_up()) {
      // Before the log has been read, a change of the plan answers no command.
      fleet_.RepeatPlan(driver, cause, AnswerTo(request), step);
    }
  };
  if (const auto* update = std::get_if<v1::StopUpdate>(&command.origin)) {
    settle(*update, v1::PLAN_CAUSE_STOP_DONE);
  } else if (const auto* give_up = std::get_if<v1::GiveUp>(&command.origin)) {
    settle(*give_up, v1::PLAN_CAUSE_REASSIGNED);
  }
}

template <class Request>
void DriverRequests::RejectForeign(const DriverId& driver, const Request& request, Step& step) {
  const TripId id(request.trip_id());
  absl::Status why;
  if (const EndedTrip* ended = trips_.FindEnded(id); ended != nullptr && ended->driver == driver) {
    why = absl::FailedPreconditionError(
        fmt::format("trip {} has ended: {}", id, trip::v1::TripState_Name(ended->state)));
  } else if (ended != nullptr || trips_.Find(id) != nullptr) {
    why = absl::PermissionDeniedError(fmt::format("trip {} is not this driver's", id));
  } else {
    why = absl::NotFoundError(fmt::format("trip {} is not known in market {}", id, market_));
  }
  Reject(driver, request, why, step);
}

}  // namespace ridestream::dispatch
