#include "services/dispatch/domain/market/market.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/base/invariant.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

/// Surge that lasts is told again after this: trip forgets it after twice as long.
constexpr Duration kTellSurgeEvery = std::chrono::minutes(1);

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

Timer AwayTimer(const std::string& trip) { return {TimerKind::kDriverStaysAway, trip}; }

trip::v1::ReleaseTripRequest MakeRelease(const TripId& trip, const DriverId& driver,
                                         trip::v1::ReleaseReason reason,
                                         const std::string& note = "") {
  trip::v1::ReleaseTripRequest request;
  request.set_trip_id(trip.str());
  request.set_driver_id(driver.str());
  request.set_reason(reason);
  request.set_note(note);
  return request;
}

void SetCommand(v1::Rejected& rejected, const v1::StopUpdate& update) {
  *rejected.mutable_stop_update() = update;
}
void SetCommand(v1::Rejected& rejected, const v1::GiveUp& give_up) {
  *rejected.mutable_give_up() = give_up;
}
void SetCommand(v1::Rejected& rejected, const v1::EndShift& end_shift) {
  *rejected.mutable_end_shift() = end_shift;
}

template <class Command>
v1::Rejected MakeRejected(const Command& command, const absl::Status& why) {
  v1::Rejected rejected;
  SetCommand(rejected, command);
  rejected.set_code(static_cast<std::uint32_t>(why.code()));
  rejected.set_message(std::string(why.message()));
  return rejected;
}

}  // namespace

Market::Market(const MarketConfig& config)
    : market_(config.market),
      abandon_after_(config.abandon_after),
      implausible_steps_(config.implausible_steps),
      commands_(config.command_retry, timers_),
      fleet_(config.lost_after, config.sharing, timers_),
      matchmaker_({{config.offer_lease, config.accept_grace, config.offer_id_prefix},
                   {{config.match_every, config.max_radius_m, config.matching,
                     config.matching_costs, config.offer_lease + config.sharing.margin,
                     config.sharing.dwell, config.matching_deadline},
                    config.radius_m,
                    config.max_wait,
                    config.price_hold},
                   config.sharing,
                   config.log_patience},
                  trips_, commands_, fleet_, timers_),
      demand_(config.demand) {}

std::vector<Decision> Market::Handle(const Event& event, Time now) {
  Step step(now);
  while (const auto timer = timers_.PopDue(now)) GoOff(*timer, step);
  std::visit([&](const auto& e) { On(e, step); }, event);
  // Location hears who is free before it is asked for them.
  for (const DriverId& driver : fleet_.Finish(step)) matchmaker_.DriverGone(driver);
  if (caught_up_) matchmaker_.Finish(step);
  return step.TakeDecisions();
}

void Market::GoOff(const Timer& timer, Step& step) {
  switch (timer.kind) {
    case TimerKind::kOfferEnds:
      matchmaker_.OfferTimeIsUp(OfferId(timer.subject), step);
      break;
    case TimerKind::kAssignmentUnexplained:
      matchmaker_.AssignmentUnexplained(OfferId(timer.subject), step);
      break;
    case TimerKind::kMatchingRound:
      break;  // Each step ends with a look at whether a round is due.
    case TimerKind::kRoundUnanswered:
      matchmaker_.RoundUnanswered(step);
      break;
    case TimerKind::kTripWaitedTooLong:
      matchmaker_.WaitedTooLong(TripId(timer.subject), step);
      break;
    case TimerKind::kDriverLost:
      DriverLost(DriverId(timer.subject), step);
      break;
    case TimerKind::kRouteUnanswered:
      fleet_.RouteUnanswered(DriverId(timer.subject), step);
      break;
    case TimerKind::kPromiseDue:
      fleet_.PromiseDue(TripId(timer.subject), step);
      break;
    case TimerKind::kDriverStaysAway:
      DriverStaysAway(TripId(timer.subject), step);
      break;
    case TimerKind::kCommandRetry:
      commands_.Resend(TripId(timer.subject), step);
      break;
  }
}

// -- Drivers
// ----------------------------------------------------------------------------------------

void Market::On(const DriverConnected& event, Step& step) {
  fleet_.Connect(event, matchmaker_.OpenOfferOf(event.driver, step.now()), step);
  TellWhetherLost(event.driver, step);
}

void Market::On(const DriverDisconnected& event, Step&) { fleet_.Disconnect(event); }

void Market::On(const DriverSuspect& event, Step& step) { fleet_.Suspect(event.driver, step); }

void Market::On(const DriverHeard& event, Step& step) {
  fleet_.Hear(event.driver, step);
  TellWhetherLost(event.driver, step);
}

void Market::On(const SessionDropped& event, Step& step) {
  fleet_.DropSession(event.driver, step);
  matchmaker_.SessionDropped(event.driver, step);
}

void Market::On(const DriverMoved& event, Step& step) { fleet_.Move(event, step); }

void Market::On(const RouteFound& event, Step& step) { fleet_.TakeRoute(event, step); }

void Market::DriverLost(const DriverId& id, Step& step) {
  matchmaker_.Withdraw(id, step);
  const Driver* driver = fleet_.Lose(id);
  if (driver == nullptr) return;
  for (const TripId& trip : driver->plan.Trips()) {
    if (driver->plan.IsAboard(trip)) continue;
    commands_.Send(MakeRelease(trip, id, trip::v1::RELEASE_REASON_DRIVER_LOST), {}, step);
  }
  TellWhetherLost(id, step);
}

void Market::TellWhetherLost(const DriverId& id, Step& step) {
  const Driver* driver = fleet_.Find(id);
  if (driver == nullptr) return;
  for (const TripId& trip : driver->plan.Trips()) {
    if (const OpenTrip* open = trips_.Find(trip)) TellWhetherLost(*open, step);
  }
}

void Market::TellWhetherLost(const OpenTrip& open, Step& step) {
  const TripId id(open.trip.trip_id());
  const Driver* driver = fleet_.Find(DriverId(open.trip.driver().driver_id()));
  // What is under way is looked at when it has been answered.
  if (!caught_up_ || driver == nullptr || open.trip.state() != trip::v1::TRIP_STATE_ABOARD ||
      commands_.IsPending<trip::v1::ReportDriverLostRequest>(id)) {
    return;
  }
  const bool on_record = open.trip.has_driver_lost_at();
  // After a restart a driver may be neither here nor lost yet: then the record stays.
  if (on_record ? !driver->IsHere() : !driver->lost) return;
  trip::v1::ReportDriverLostRequest request;
  request.set_trip_id(id.str());
  request.set_driver_id(driver->id.str());
  request.set_lost(!on_record);
  commands_.Send(std::move(request), {}, step);
}

void Market::WatchLostDriver(const trip::v1::Trip& trip, Step& step) {
  const Timer timer = AwayTimer(trip.trip_id());
  if (trip.state() != trip::v1::TRIP_STATE_ABOARD || !trip.has_driver_lost_at()) {
    timers_.Cancel(timer);
  } else if (!timers_.IsSet(timer)) {
    timers_.Set(timer, step.now() + abandon_after_);
  }
}

void Market::DriverStaysAway(const TripId& id, Step& step) {
  const OpenTrip* open = trips_.Find(id);
  if (open == nullptr) return;
  const Driver* driver = fleet_.Find(DriverId(open->trip.driver().driver_id()));
  if (driver != nullptr && driver->IsHere()) return;  // Trip is about to hear of it.
  trip::v1::CancelTripRequest request;
  request.set_request_id(id.str());
  request.set_trip_id(id.str());
  request.set_reason(trip::v1::CANCEL_REASON_DRIVER_LOST);
  commands_.Send(std::move(request), {}, step);
}

// -- What drivers say
// -------------------------------------------------------------------------------

void Market::On(const OfferAnswered& event, Step& step) { matchmaker_.TakeAnswer(event, step); }

void Market::On(const StopUpdated& event, Step& step) {
  const Driver* driver = fleet_.Find(event.driver);
  if (driver == nullptr) return;
  const trip::v1::TripState to = StateAfter(event.update.action());
  if (to == trip::v1::TRIP_STATE_UNSPECIFIED) {
    const auto why = absl::InvalidArgumentError(fmt::format(
        "stop_update.action: {} is no action", static_cast<int>(event.update.action())));
    fleet_.PushRejected(event.driver, MakeRejected(event.update, why), step);
    return;
  }
  const TripId id(event.update.trip_id());
  if (!driver->plan.Has(id)) {
    const EndedTrip* ended = trips_.FindEnded(id);
    if (ended != nullptr && ended->state == trip::v1::TRIP_STATE_COMPLETED &&
        ended->driver == event.driver) {
      fleet_.TellPlanAgain(event.driver, v1::PLAN_CAUSE_STOP_DONE, step);
    } else {
      RejectForeign(event.driver, event.update, step);
    }
    return;
  }
  OpenTrip* open = trips_.Find(id);
  if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip in a plan is open")) return;
  if (open->trip.state() >= to) {  // A repeat of what is done.
    fleet_.TellPlanAgain(event.driver, v1::PLAN_CAUSE_STOP_DONE, step);
    return;
  }
  trip::v1::AdvanceTripRequest request;
  request.set_trip_id(id.str());
  request.set_driver_id(event.driver.str());
  request.set_to(to);
  if (commands_.IsWaiting(request) || TakeAtItsWord(*driver, *open, event.update, request, step)) {
    commands_.Send(std::move(request), event.update, step);
  }
}

bool Market::TakeAtItsWord(const Driver& driver, OpenTrip& open, const v1::StopUpdate& update,
                           trip::v1::AdvanceTripRequest& request, Step& step) {
  const StepVerdict verdict = Judge(MakeClaim(driver, open, request.to(), step.now()));
  const bool refused =
      implausible_steps_ == ImplausibleSteps::kRefuse && IsImplausible(verdict.plausibility);
  step.Decide(StepJudged{driver.id, TripId(request.trip_id()), request.to(), verdict.plausibility,
                         verdict.distance_m, refused});
  if (refused) {
    fleet_.PushRejected(driver.id, MakeRejected(update, RefusalOf(verdict)), step);
    return false;
  }
  request.set_plausibility(verdict.plausibility);
  request.set_distance_m(verdict.distance_m);
  if (request.to() == trip::v1::TRIP_STATE_ABOARD) open.picked_up_at = step.now();
  return true;
}

void Market::On(const TripGivenUp& event, Step& step) {
  const Driver* driver = fleet_.Find(event.driver);
  if (driver == nullptr) return;
  if (!v1::GiveUpCause_IsValid(event.give_up.cause())) {
    const auto why = absl::InvalidArgumentError(
        fmt::format("give_up.cause: {} is no cause", static_cast<int>(event.give_up.cause())));
    fleet_.PushRejected(event.driver, MakeRejected(event.give_up, why), step);
    return;
  }
  const TripId id(event.give_up.trip_id());
  if (!driver->plan.Has(id)) {
    const OpenTrip* open = trips_.Find(id);
    const bool repeat = open != nullptr &&
                        std::count(open->trip.released_driver_ids().begin(),
                                   open->trip.released_driver_ids().end(), event.driver.str()) > 0;
    const EndedTrip* ended = trips_.FindEnded(id);
    if (repeat) {
      fleet_.TellPlanAgain(event.driver, v1::PLAN_CAUSE_REASSIGNED, step);
    } else if (ended != nullptr && ended->by_driver && ended->driver == event.driver) {
      fleet_.TellPlanAgain(event.driver, v1::PLAN_CAUSE_RIDER_CANCELLED, step);
    } else {
      RejectForeign(event.driver, event.give_up, step);
    }
    return;
  }
  if (driver->plan.IsAboard(id)) {
    const auto why = absl::FailedPreconditionError(
        fmt::format("trip {}: the rider is aboard; drive them to the drop-off", id));
    fleet_.PushRejected(event.driver, MakeRejected(event.give_up, why), step);
    return;
  }
  const OpenTrip* open = trips_.Find(id);
  if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip in a plan is open")) return;
  const bool at_pickup = open->trip.state() == trip::v1::TRIP_STATE_ARRIVED ||
                         commands_.IsPending<trip::v1::AdvanceTripRequest>(id);
  const v1::GiveUpCause cause = event.give_up.cause();
  const bool no_show =
      cause == v1::GIVE_UP_CAUSE_NO_SHOW || (cause == v1::GIVE_UP_CAUSE_UNSPECIFIED && at_pickup);
  commands_.Send(MakeRelease(id, event.driver,
                             no_show ? trip::v1::RELEASE_REASON_NO_SHOW
                                     : trip::v1::RELEASE_REASON_DRIVER_GAVE_UP,
                             event.give_up.reason()),
                 event.give_up, step);
}

void Market::On(const ShiftEnded& event, Step& step) {
  const Driver* driver = fleet_.Find(event.driver);
  if (driver == nullptr || driver->epoch != event.epoch) return;
  // An offer that can be answered still is no hindrance: it is withdrawn as the session is dropped.
  const bool assigning =
      driver->inserting ||
      (driver->offered && matchmaker_.OpenOfferOf(event.driver, step.now()) == nullptr);
  if (driver->plan.empty() && !assigning) {
    step.Decide(EndSession{event.driver, event.epoch});
    return;
  }
  const auto why = absl::FailedPreconditionError(
      assigning ? "end_shift: a trip is being assigned to this driver just now"
                : "end_shift: the plan has stops; finish its trips or give them up first");
  fleet_.PushRejected(event.driver, MakeRejected(v1::EndShift(), why), step);
}

template <class Command>
void Market::RejectForeign(const DriverId& driver, const Command& command, Step& step) {
  const TripId id(command.trip_id());
  absl::Status why;
  if (const EndedTrip* ended = trips_.FindEnded(id); ended != nullptr && ended->driver == driver) {
    why = absl::FailedPreconditionError(
        fmt::format("trip {} has ended: {}", id, trip::v1::TripState_Name(ended->state)));
  } else if (ended != nullptr || trips_.Find(id) != nullptr) {
    why = absl::PermissionDeniedError(fmt::format("trip {} is not this driver's", id));
  } else {
    why = absl::NotFoundError(fmt::format("trip {} is not known in market {}", id, market_));
  }
  fleet_.PushRejected(driver, MakeRejected(command, why), step);
}

// -- Trips
// ------------------------------------------------------------------------------------------

void Market::On(const TripLogged& event, Step& step) { ApplyTrip(event.event.trip(), step); }

void Market::On(const LogCaughtUp&, Step& step) {
  commands_.ResendAll(step);
  if (caught_up_) return;
  caught_up_ = true;
  fleet_.CatchUp(step);
  for (const auto& [id, open] : trips_.open()) {
    matchmaker_.LetWait(id, step.now(), step);
    WatchLostDriver(open.trip, step);
    TellWhetherLost(open, step);
  }
}

void Market::ApplyTrip(const trip::v1::Trip& trip, Step& step) {
  if (trip.market() != market_.str() || !trips_.Record(trip)) return;
  const TripId id(trip.trip_id());
  if (trip.version() == 1) {
    demand_.Requested(FromProto(trip.pickup()), FromProto(trip.requested_at()), step.now());
  }
  // How offers ended is told before the plans that follow from it.
  if (caught_up_) matchmaker_.TripChanged(trip, step);
  switch (trip.state()) {
    case trip::v1::TRIP_STATE_ASSIGNED:
    case trip::v1::TRIP_STATE_ARRIVED:
    case trip::v1::TRIP_STATE_ABOARD:
      fleet_.PutTrip(trip, step);
      break;
    case trip::v1::TRIP_STATE_COMPLETED:
      fleet_.RemoveTrip(id, v1::PLAN_CAUSE_STOP_DONE, step);
      break;
    case trip::v1::TRIP_STATE_CANCELLED:
      fleet_.RemoveTrip(id, v1::PLAN_CAUSE_RIDER_CANCELLED, step);
      break;
    default:
      fleet_.RemoveTrip(id, v1::PLAN_CAUSE_REASSIGNED, step);
      break;
  }
  fleet_.HoldToPromise(trip, step);
  if (caught_up_) WatchLostDriver(trip, step);
  if (const OpenTrip* open = trips_.Find(id)) TellWhetherLost(*open, step);
  if (IsEnded(trip.state())) {
    commands_.DropAll(id);
    fleet_.Forget(id);
  }
}

void Market::ForgetTrip(const TripId& trip, Step& step) {
  trips_.Forget(trip);
  matchmaker_.TripVanished(trip, step);
  fleet_.RemoveTrip(trip, v1::PLAN_CAUSE_REASSIGNED, step);
  fleet_.Forget(trip);
  commands_.DropAll(trip);
  timers_.Cancel(AwayTimer(trip.str()));
}

// -- Demand
// -----------------------------------------------------------------------------------------

void Market::On(const FleetSurveyed& event, Step& step) {
  if (!caught_up_) return;
  std::vector<LatLng> waiting;
  for (const auto& [id, open] : trips_.open()) {
    if (open.trip.state() == trip::v1::TRIP_STATE_REQUESTED) {
      waiting.push_back(FromProto(open.trip.pickup()));
    }
  }
  std::vector<WaitingPlaces::FreeCar> free_cars;
  std::vector<LatLng> places;
  for (const auto& [id, position] : event.drivers) {
    const Driver* driver = fleet_.Find(id);
    if (driver == nullptr || !driver->IsFree(1)) continue;
    free_cars.push_back({id, position});
    places.push_back(position);
  }
  demand_.Survey(waiting, places, step.now());
  TellSurge(step);
  SuggestWaitingPlaces(free_cars, step);
}

void Market::TellSurge(Step& step) {
  const bool changed = demand_.surge() != surge_told_;
  const bool refresh = !surge_told_.empty() && step.now() - surge_told_at_ >= kTellSurgeEvery;
  if (!changed && !refresh) return;
  surge_told_ = demand_.surge();
  surge_told_at_ = step.now();
  step.Decide(SetSurge{surge_told_});
}

void Market::SuggestWaitingPlaces(std::span<const WaitingPlaces::FreeCar> free_cars, Step& step) {
  for (const auto& suggestion :
       waiting_places_.Suggest(free_cars, demand_.Shortages(), step.now())) {
    v1::DriveResponse message;
    *message.mutable_waiting_place()->mutable_place() = ToProto(suggestion.place);
    *message.mutable_waiting_place()->mutable_expires_at() = ToProto(suggestion.expires_at);
    step.Decide(Push{suggestion.driver, std::move(message)});
  }
}

// -- Answers
// ----------------------------------------------------------------------------------------

void Market::On(const CandidatesFound& event, Step& step) {
  matchmaker_.TakeCandidates(event, step);
}

void Market::On(const CommandDone& event, Step& step) {
  const auto settled = commands_.Settle(event.command, event.trip.status(), step);
  if (event.trip.ok()) ApplyTrip(*event.trip, step);
  if (settled) CommandSettled(*settled, event.trip.status(), step);
}

void Market::CommandSettled(const PendingCommand& command, const absl::Status& status, Step& step) {
  const TripId trip = TripOf(command.request);
  if (!status.ok()) {
    const DriverId driver = DriverOf(command.request);
    if (const auto* update = std::get_if<v1::StopUpdate>(&command.origin)) {
      fleet_.PushRejected(driver, MakeRejected(*update, status), step);
    } else if (const auto* give_up = std::get_if<v1::GiveUp>(&command.origin)) {
      fleet_.PushRejected(driver, MakeRejected(*give_up, status), step);
    }
  }
  if (absl::IsNotFound(status)) {
    ForgetTrip(trip, step);
    return;
  }
  if (const auto* assign = std::get_if<trip::v1::AssignTripRequest>(&command.request)) {
    matchmaker_.AssignmentSettled(*assign, status, step);
  } else if (std::holds_alternative<trip::v1::GiveUpTripRequest>(command.request)) {
    matchmaker_.GiveUpSettled(trip, step);
  } else if (std::holds_alternative<trip::v1::ReportDriverLostRequest>(command.request)) {
    const OpenTrip* open = trips_.Find(trip);
    if (open != nullptr && status.ok()) TellWhetherLost(*open, step);
  }
  commands_.SendNext(trip, step);
}

}  // namespace ridestream::dispatch
