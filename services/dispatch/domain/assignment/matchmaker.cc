#include "services/dispatch/domain/assignment/matchmaker.h"

#include <algorithm>
#include <utility>

#include "libs/base/invariant.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

const Timer kNextRound{TimerKind::kMatchingRound, ""};
const Timer kRoundUnanswered{TimerKind::kRoundUnanswered, ""};

}  // namespace

Matchmaker::Matchmaker(const Config& config, TripBook& trips, TripCommands& commands, Fleet& fleet,
                       Timers& timers)
    : config_(config),
      trips_(trips),
      fleet_(fleet),
      timers_(timers),
      offers_(config.offers, fleet, timers),
      searches_(config.searches, trips, fleet, commands, timers),
      assignments_(fleet, commands, timers),
      shared_rides_({.sharing = config.sharing,
                     .dwell = config.searches.rounds.dwell,
                     .costs = config.searches.rounds.costs,
                     .every = config.searches.rounds.match_every},
                    trips, commands, fleet, searches_, offers_, assignments_) {}

// The trip's record.

void Matchmaker::TripChanged(const trip::v1::Trip& trip, Step& step) {
  const TripId id(trip.trip_id());
  if (trip.state() == trip::v1::TRIP_STATE_REQUESTED) {
    EnsureWaiting(id, step.now(), step);
    return;
  }
  const OfferId under_way = UnderWay(id);
  if (IsEnded(trip.state())) {
    searches_.Forget(id);
    End(id,
        trip.state() == trip::v1::TRIP_STATE_CANCELLED ? v1::OFFER_OUTCOME_RIDER_CANCELLED
                                                       : v1::OFFER_OUTCOME_WITHDRAWN,
        step.now(), step);
    return;
  }
  searches_.Found(id);
  if (trip.has_promise()) shared_rides_.Assigned(step.now());
  End(id,
      trip.offer_id() == under_way.str() ? v1::OFFER_OUTCOME_ACCEPTED
                                         : v1::OFFER_OUTCOME_ALREADY_TAKEN,
      step.now(), step);
  // The driver may have got the trip by another way than an offer of this market. The driver is
  // busy now.
  Withdraw(DriverId(trip.driver().driver_id()), step);
}

void Matchmaker::TripVanished(const TripId& trip, Step& step) {
  searches_.Forget(trip);
  End(trip, v1::OFFER_OUTCOME_WITHDRAWN, step.now(), step);
}

OfferId Matchmaker::UnderWay(const TripId& trip) const {
  if (const OpenOffer* offer = offers_.OfTrip(trip)) return offer->id;
  if (const OpenAssignment* assignment = assignments_.OfTrip(trip)) return assignment->id;
  return {};
}

// The search.

void Matchmaker::EnsureWaiting(const TripId& id, Time hold_until, Step& step) {
  if (UnderWay(id).str().empty()) searches_.Continue(id, hold_until, step);
}

void Matchmaker::WaitedTooLong(const TripId& trip, Step& step) {
  // An offered trip may still be accepted. It is given up if the offer ends without that.
  if (UnderWay(trip).str().empty()) searches_.TimeIsUp(trip, step);
}

void Matchmaker::GiveUpSettled(const TripId& trip, Step& step) {
  searches_.GiveUpSettled(trip);
  EnsureWaiting(trip, step.now() + config_.log_patience, step);
}

void Matchmaker::RoundUnanswered(Step& step) {
  searches_.waiting().AbandonRound(step.now());
  searches_.GiveUpAfterLastLooks(step);
}

void Matchmaker::Finish(Step& step) {
  for (const CandidatesFound::FreedCapacity& freed : std::exchange(freed_capacities_, {}))
    InsertIntoFreedCapacity(freed, step);
  if (auto round = NextRound(step.now())) {
    timers_.Set(kRoundUnanswered, step.now() + kRoundPatience);
    step.Decide(*std::move(round));
  }
  const WaitingTrips& waiting = searches_.waiting();
  if (waiting.InFlight()) {
    timers_.Cancel(kNextRound);
    return;
  }
  timers_.Cancel(kRoundUnanswered);
  const Time next =
      std::min(waiting.NextRound().value_or(Time::max()), shared_rides_.next_search());
  if (next != Time::max()) {
    timers_.Set(kNextRound, next);
  } else {
    timers_.Cancel(kNextRound);
  }
}

std::optional<FindCandidates> Matchmaker::NextRound(Time now) {
  WaitingTrips& waiting = searches_.waiting();
  if (waiting.InFlight()) return std::nullopt;
  std::optional<FindCandidates> round;
  if (const auto next = waiting.NextRound(); next && *next <= now) {
    round = waiting.StartRound(now, MaxTripsPerRound());
  }
  if (round) {
    shared_rides_.AddPlanQueries(*round, now);
  } else if (shared_rides_.next_search() <= now) {
    round.emplace();
    shared_rides_.AddPlanQueries(*round, now);
    if (round->moves.empty()) {
      round.reset();
    } else {
      round->round = waiting.StartRoundOfNobody();
    }
  } else {
    return std::nullopt;
  }
  shared_rides_.Searched(now);
  return round;
}

std::size_t Matchmaker::MaxTripsPerRound() const {
  const std::size_t spare =
      shared_rides_.enabled() ? SharedRides::kTripsPerRound : kSpareTripsPerRound;
  // A few drivers for many trips need only few rows of travel times, but it matters which trips
  // they get.
  return fleet_.AnyFree() ? WaitingTrips::kMaxTripsPerRound : spare;
}

void Matchmaker::OnCandidatesFound(const CandidatesFound& event, Step& step) {
  const bool answers_this = searches_.waiting().IsAsked(event.round);
  const auto suitability = [this](const WaitingTrip& waiting, const DriverId& driver) {
    return SuitabilityOf(waiting, driver);
  };
  const auto insertable = [this](const TripId& trip, const InsertionFound& found) {
    return shared_rides_.IsInsertable(trip, found);
  };
  for (const Match& match : searches_.FinishRound(event, suitability, insertable, step.now())) {
    const OpenTrip* open = trips_.Find(match.trip.id);
    if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip that waits is open")) continue;
    if (match.insertion) {
      Insert(match.trip.id, {}, *match.insertion, std::nullopt, step);
    } else {
      offers_.Make(open->trip, match.candidate, step);
    }
  }
  searches_.GiveUpAfterLastLooks(step);
  if (!answers_this) return;
  for (const SharedRides::Move& move : shared_rides_.Choose(event.moves)) {
    Insert(move.trip, move.from, move.to, move.freed, step);
  }
}

Suitability Matchmaker::SuitabilityOf(const WaitingTrip& waiting, const DriverId& id) const {
  const Driver* driver = fleet_.Find(id);
  if (driver == nullptr || !driver->IsFree(waiting.party_size)) return Eligibility::kNo;
  return {searches_.EligibilityOf(waiting.id, id), offers_.AcceptanceOf(id)};
}

// Offers.

void Matchmaker::OnOfferAnswered(const OfferAnswered& event, Step& step) {
  OpenOffer* offer = offers_.FindForAnswer(event.driver, event.answer, trips_, step);
  if (offer == nullptr) return;
  if (event.answer.accept()) {
    Assign(*offer, step);
  } else {
    searches_.Decline(offer->trip, offer->driver);
    End(TripId(offer->trip), v1::OFFER_OUTCOME_DECLINED, step.now(), step);
  }
}

void Matchmaker::OnOfferExpired(const OfferId& id, Step& step) {
  const OpenOffer* offer = offers_.Find(id);
  if (offer == nullptr || offer->state != OpenOffer::State::kOffered) return;
  searches_.OfferExpired(offer->trip, offer->driver);
  End(TripId(offer->trip), v1::OFFER_OUTCOME_EXPIRED, step.now(), step);
}

void Matchmaker::Withdraw(const DriverId& driver, Step& step) {
  const OpenOffer* offer = offers_.OfDriver(driver);
  if (offer == nullptr || offer->state != OpenOffer::State::kOffered) return;
  End(TripId(offer->trip), v1::OFFER_OUTCOME_WITHDRAWN, step.now(), step);
}

void Matchmaker::SessionDropped(const DriverId& driver, Step& step) {
  offers_.SessionDropped(driver);
  Withdraw(driver, step);
}

// Assignments.

void Matchmaker::Assign(OpenOffer& offer, Step& step) {
  offers_.Accept(offer);
  if (assignments_.Begin({offer.id, AssignmentKind::kOffer, offer.trip, offer.driver}, step)) {
    return;
  }
  End(TripId(offer.trip), v1::OFFER_OUTCOME_WITHDRAWN, step.now(), step);
}

void Matchmaker::Insert(const TripId& trip, const DriverId& from, const InsertionFound& found,
                        const std::optional<CandidatesFound::FreedCapacity>& freed, Step& step) {
  OpenAssignment assignment{
      .id = offers_.NextId(),
      .kind = from.str().empty() ? AssignmentKind::kInsertion : AssignmentKind::kMove,
      .trip = trip,
      .driver = found.driver,
      .from = from,
      .freed = freed};
  if (assignments_.BeginInsertion(std::move(assignment), found, step)) return;
  EnsureWaiting(trip, step.now(), step);
}

void Matchmaker::InsertIntoFreedCapacity(const CandidatesFound::FreedCapacity& freed, Step& step) {
  constexpr std::uint64_t kTheOtherIsGone = 1;
  if (!shared_rides_.CanTake(freed, kTheOtherIsGone)) return;
  const DriverId from = shared_rides_.HolderOf(freed.trip);
  searches_.Rest(freed.trip);
  Insert(freed.trip, from, freed.into, std::nullopt, step);
}

void Matchmaker::AssignmentSettled(const trip::v1::AssignTripRequest& request,
                                   const absl::Status& status, Step& step) {
  const OpenAssignment* assignment = assignments_.Find(OfferId(request.offer_id()));
  if (assignment == nullptr) return;  // The log was quicker, or the OK has ended it.
  const TripId trip = assignment->trip;
  searches_.Decline(trip, assignment->driver);
  const Time log_is_due = step.now() + config_.log_patience;
  if (status.code() == absl::StatusCode::kAborted) {
    End(trip, v1::OFFER_OUTCOME_ALREADY_TAKEN, log_is_due, step);
    return;
  }
  // Most likely the rider cancelled. The trip log, a separate stream, will show it.
  assignments_.Refuse(trip, log_is_due);
}

void Matchmaker::AssignmentUnexplained(const OfferId& id, Step& step) {
  const OpenAssignment* assignment = assignments_.Find(id);
  if (assignment == nullptr || assignment->state != OpenAssignment::State::kRefused) return;
  End(TripId(assignment->trip), v1::OFFER_OUTCOME_WITHDRAWN, step.now(), step);
}

void Matchmaker::End(const TripId& trip, v1::OfferOutcome outcome, Time hold_until, Step& step) {
  const bool assigned = outcome == v1::OFFER_OUTCOME_ACCEPTED;
  const auto ended = assignments_.End(trip, assigned);
  if (ended && ended->freed && assigned) freed_capacities_.push_back(*ended->freed);
  if (const OpenOffer* offer = offers_.OfTrip(trip)) offers_.End(*offer, outcome, step);
  EnsureWaiting(trip, hold_until, step);
}

}  // namespace ridestream::dispatch
