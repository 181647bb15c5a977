#include "services/dispatch/domain/market/market.h"

#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {

Market::Market(const MarketConfig& config)
    : market_(config.market),
      commands_(config.command_retry, timers_),
      fleet_(config.lost_after, config.sharing, timers_),
      matchmaker_({.offers = {.lease = config.offer_lease,
                              .accept_grace = config.accept_grace,
                              .id_prefix = config.offer_id_prefix},
                   .searches = {.rounds = {.match_every = config.match_every,
                                           .max_radius_m = config.max_radius_m,
                                           .method = config.matching,
                                           .costs = config.matching_costs,
                                           .response = config.offer_lease + config.sharing.margin,
                                           .dwell = config.sharing.dwell,
                                           .start_deadline = config.matching_deadline},
                                .radius_m = config.radius_m,
                                .max_wait = config.max_wait,
                                .price_hold = config.price_hold},
                   .sharing = config.sharing,
                   .log_patience = config.log_patience},
                  trips_, commands_, fleet_, timers_),
      requests_(config.market, config.implausible_steps, trips_, commands_, fleet_),
      lost_drivers_(config.abandon_after, trips_, commands_, fleet_, timers_),
      demand_(config.demand) {}

std::vector<Decision> Market::Handle(const Event& event, Time now) {
  Step step(now);
  while (const auto timer = timers_.PopDue(now)) OnTimer(*timer, step);
  std::visit([&](const auto& e) { On(e, step); }, event);
  // Location receives the availability of drivers before it is queried for them.
  for (const DriverId& driver : fleet_.Finish(step)) matchmaker_.DriverGone(driver);
  if (caught_up_) matchmaker_.Finish(step);
  return step.TakeDecisions();
}

void Market::OnTimer(const Timer& timer, Step& step) {
  switch (timer.kind) {
    case TimerKind::kOfferEnds:
      matchmaker_.OnOfferExpired(OfferId(timer.subject), step);
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
      matchmaker_.Withdraw(DriverId(timer.subject), step);
      lost_drivers_.Lose(DriverId(timer.subject), step);
      break;
    case TimerKind::kRouteUnanswered:
      fleet_.RouteUnanswered(DriverId(timer.subject), step);
      break;
    case TimerKind::kPromiseDue:
      fleet_.PromiseDue(TripId(timer.subject), step);
      break;
    case TimerKind::kDriverStaysAway:
      lost_drivers_.StaysAway(TripId(timer.subject), step);
      break;
    case TimerKind::kCommandRetry:
      commands_.Resend(TripId(timer.subject), step);
      break;
  }
}

void Market::On(const DriverConnected& event, Step& step) {
  fleet_.Connect(event, matchmaker_.OpenOfferOf(event.driver, step.now()), step);
  lost_drivers_.Report(event.driver, step);
}

void Market::On(const DriverDisconnected& event, Step&) { fleet_.Disconnect(event); }

void Market::On(const DriverSuspect& event, Step& step) { fleet_.Suspect(event.driver, step); }

void Market::On(const DriverHeard& event, Step& step) {
  fleet_.OnHeard(event.driver, step);
  lost_drivers_.Report(event.driver, step);
}

void Market::On(const SessionDropped& event, Step& step) {
  fleet_.DropSession(event.driver, step);
  matchmaker_.SessionDropped(event.driver, step);
}

void Market::On(const DriverMoved& event, Step& step) { fleet_.Move(event, step); }

void Market::On(const RouteFound& event, Step& step) { fleet_.OnRouteFound(event, step); }

void Market::On(const OfferAnswered& event, Step& step) {
  matchmaker_.OnOfferAnswered(event, step);
}

void Market::On(const StopUpdated& event, Step& step) { requests_.Handle(event, step); }

void Market::On(const TripGivenUp& event, Step& step) { requests_.Handle(event, step); }

void Market::On(const ShiftEnded& event, Step& step) {
  const Driver* driver = fleet_.Find(event.driver);
  if (driver == nullptr) return;
  // An open offer doesn't matter: it is withdrawn when the session is dropped.
  const bool assigning =
      driver->inserting ||
      (driver->offered && matchmaker_.OpenOfferOf(event.driver, step.now()) == nullptr);
  requests_.Handle(event, assigning, step);
}

void Market::On(const TripLogged& event, Step& step) { ApplyTrip(event.event.trip(), step); }

void Market::On(const LogCaughtUp&, Step& step) {
  commands_.ResendAll(step);
  if (caught_up_) return;
  caught_up_ = true;
  fleet_.CatchUp(step);
  for (const auto& [id, open] : trips_.open()) {
    matchmaker_.EnsureWaiting(id, step.now(), step);
    lost_drivers_.Watch(open.trip, step);
    lost_drivers_.Report(open, step);
  }
}

void Market::ApplyTrip(const trip::v1::Trip& trip, Step& step) {
  if (trip.market() != market_.str() || !trips_.Record(trip)) return;
  const TripId id(trip.trip_id());
  if (trip.version() == 1) {
    demand_.Requested(FromProto(trip.pickup()), FromProto(trip.requested_at()), step.now());
  }
  // The outcome of an offer is sent before the plans that result from it.
  if (caught_up_) matchmaker_.TripChanged(trip, step);
  switch (trip.state()) {
    case trip::v1::TRIP_STATE_ASSIGNED:
    case trip::v1::TRIP_STATE_ARRIVED:
    case trip::v1::TRIP_STATE_ABOARD:
      fleet_.PutTrip(trip, step);
      break;
    case trip::v1::TRIP_STATE_COMPLETED:
      fleet_.RemoveTrip(trip, v1::PLAN_CAUSE_STOP_DONE, step);
      break;
    case trip::v1::TRIP_STATE_CANCELLED:
      fleet_.RemoveTrip(trip, v1::PLAN_CAUSE_RIDER_CANCELLED, step);
      break;
    default:
      fleet_.RemoveTrip(trip, v1::PLAN_CAUSE_REASSIGNED, step);
      break;
  }
  fleet_.HoldToPromise(trip, step);
  if (caught_up_) lost_drivers_.Watch(trip, step);
  if (const OpenTrip* open = trips_.Find(id)) lost_drivers_.Report(*open, step);
  if (IsEnded(trip.state())) {
    commands_.DropAll(id);
    fleet_.Forget(id);
  }
}

void Market::ForgetTrip(const TripId& trip, Step& step) {
  trips_.Forget(trip);
  matchmaker_.TripVanished(trip, step);
  fleet_.Disown(trip, step);
  fleet_.Forget(trip);
  commands_.DropAll(trip);
  lost_drivers_.Unwatch(trip);
}

void Market::On(const FleetSurveyed& event, Step& step) {
  if (!caught_up_) return;
  std::vector<LatLng> waiting;
  for (const auto& [id, open] : trips_.open()) {
    if (open.trip.state() == trip::v1::TRIP_STATE_REQUESTED) {
      waiting.push_back(FromProto(open.trip.pickup()));
    }
  }
  std::vector<WaitingPlaces::FreeCar> free_cars;
  for (const auto& [id, position] : event.drivers) {
    const Driver* driver = fleet_.Find(id);
    if (driver != nullptr && driver->IsFree(1)) free_cars.push_back({id, position});
  }
  demand_.Survey(waiting, free_cars, step);
}

void Market::On(const CandidatesFound& event, Step& step) {
  matchmaker_.OnCandidatesFound(event, step);
}

void Market::On(const CommandDone& event, Step& step) {
  const auto settled = commands_.Settle(event.command, event.trip.status(), step);
  if (event.trip.ok()) ApplyTrip(*event.trip, step);
  if (settled) CommandSettled(*settled, event.trip.status(), step);
}

void Market::CommandSettled(const PendingCommand& command, const absl::Status& status, Step& step) {
  const TripId trip = TripOf(command.request);
  requests_.Settled(command, status, step);
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
    if (open != nullptr && status.ok()) lost_drivers_.Report(*open, step);
  }
  commands_.SendNext(trip, step);
}

}  // namespace ridestream::dispatch
