#include "services/dispatch/domain/assignment/matchmaker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "libs/base/invariant.h"
#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/plan/eta.h"

namespace ridestream::dispatch {
namespace {

const Timer kNextRound{TimerKind::kMatchingRound, ""};
const Timer kRoundUnanswered{TimerKind::kRoundUnanswered, ""};

Timer OfferTimer(const OfferId& id) { return {TimerKind::kOfferEnds, id.str()}; }
Timer WaitTimer(const TripId& id) { return {TimerKind::kTripWaitedTooLong, id.str()}; }

v1::Offer MakeMessage(const OfferId& id, const trip::v1::Trip& trip, const Candidate& candidate,
                      Time expires_at, Time now) {
  v1::Offer offer;
  offer.set_offer_id(id.str());
  offer.set_trip_id(trip.trip_id());
  *offer.mutable_pickup() = trip.pickup();
  *offer.mutable_dropoff() = trip.dropoff();
  offer.set_party_size(trip.passenger().party_size());
  *offer.mutable_fare() = trip.fare().total();
  offer.set_pickup_eta_s(EtaSeconds(candidate.travel_time));
  offer.set_trip_length_m(trip.fare().length_m());
  offer.set_trip_duration_s(
      static_cast<std::uint32_t>(std::max<std::int64_t>(0, trip.fare().duration().seconds())));
  *offer.mutable_expires_at() = ToProto(expires_at);
  *offer.mutable_decided_at() = ToProto(now);
  return offer;
}

std::optional<SharedRide> SharedRideOf(const trip::v1::Trip& trip) {
  if (!trip.has_promise()) return std::nullopt;
  return SharedRide{FromProto(trip.pickup()), FromProto(trip.dropoff()),
                    trip.passenger().party_size(), FromProto(trip.promise().latest_pickup_at()),
                    FromProto(trip.promise().latest_dropoff_at())};
}

v1::OfferEnded MakeEnded(const std::string& offer, const std::string& trip,
                         v1::OfferOutcome outcome) {
  v1::OfferEnded ended;
  ended.set_offer_id(offer);
  ended.set_trip_id(trip);
  ended.set_outcome(outcome);
  return ended;
}

}  // namespace

Matchmaker::Matchmaker(Config config, TripBook& trips, TripCommands& commands, Fleet& fleet,
                       Timers& timers)
    : config_(std::move(config)),
      trips_(trips),
      commands_(commands),
      fleet_(fleet),
      timers_(timers),
      offers_(config_.offer_id_prefix),
      waiting_(config_.rounds),
      costs_(config_.rounds.costs, config_.rounds.dwell) {}

// -- Waiting
// ----------------------------------------------------------------------------------------

void Matchmaker::TripChanged(const trip::v1::Trip& trip, Step& step) {
  const TripId id(trip.trip_id());
  if (trip.state() == trip::v1::TRIP_STATE_REQUESTED) {
    LetWait(id, step.now(), step);
    return;
  }
  StopWaiting(id);
  const OpenOffer* offer = offers_.OfTrip(id);
  if (IsEnded(trip.state())) {
    if (offer != nullptr) {
      End(*offer,
          trip.state() == trip::v1::TRIP_STATE_CANCELLED ? v1::OFFER_OUTCOME_RIDER_CANCELLED
                                                         : v1::OFFER_OUTCOME_WITHDRAWN,
          step.now(), step);
    }
    return;
  }
  if (trip.has_promise() && config_.sharing.mode == SharingMode::kInsertionAndMoves) {
    search_at_ = std::min(search_at_, step.now() + config_.rounds.match_every);
  }
  if (OpenTrip* open = trips_.Find(id)) {
    // Should it come to wait again, that is a new search.
    open->give_up_at.reset();
    open->radius_m = 0;
    open->looked_last = false;
  }
  if (offer != nullptr) {
    const bool by_this_offer = trip.offer_id() == offer->id.str();
    End(*offer, by_this_offer ? v1::OFFER_OUTCOME_ACCEPTED : v1::OFFER_OUTCOME_ALREADY_TAKEN,
        step.now(), step);
  }
  // The driver may have it by another way than this market's offer: it is busy now.
  Withdraw(DriverId(trip.driver().driver_id()), step);
}

void Matchmaker::LetWait(const TripId& id, Time hold_until, Step& step) {
  OpenTrip* open = trips_.Find(id);
  if (open == nullptr || open->trip.state() != trip::v1::TRIP_STATE_REQUESTED ||
      waiting_.Contains(id) || offers_.OfTrip(id) != nullptr ||
      commands_.IsPending<trip::v1::GiveUpTripRequest>(id)) {
    return;
  }
  const std::optional<SharedRide> shared = SharedRideOf(open->trip);
  if (!open->give_up_at) {
    open->give_up_at = step.now() + config_.max_wait;
    open->held_by_price_until = step.now() + config_.price_hold;
    // Whom nobody can serve any more as promised is told so at once.
    if (shared) open->give_up_at = std::min(*open->give_up_at, shared->latest_pickup);
  }
  if (step.now() >= *open->give_up_at) {
    WaitedTooLong(id, step);
    return;
  }
  timers_.Set(WaitTimer(id), *open->give_up_at);
  if (open->radius_m == 0) open->radius_m = config_.radius_m;
  Wait(id, *open, hold_until, /*last_look=*/false);
}

void Matchmaker::Wait(const TripId& id, const OpenTrip& open, Time hold_until, bool last_look) {
  waiting_.Add({.id = id,
                .requested_at = FromProto(open.trip.requested_at()),
                .pickup = FromProto(open.trip.pickup()),
                .party_size = open.trip.passenger().party_size(),
                .radius_m = open.radius_m,
                .hold_until = hold_until,
                .direct = std::chrono::seconds(open.trip.fare().duration().seconds()),
                .shared = SharedRideOf(open.trip),
                .held_by_price_until = open.held_by_price_until,
                .last_look = last_look});
}

void Matchmaker::TripVanished(const TripId& trip, Step& step) {
  StopWaiting(trip);
  if (const OpenOffer* offer = offers_.OfTrip(trip)) {
    End(*offer, v1::OFFER_OUTCOME_WITHDRAWN, step.now(), step);
  }
}

void Matchmaker::StopWaiting(const TripId& trip) {
  waiting_.Remove(trip);
  timers_.Cancel(WaitTimer(trip));
}

void Matchmaker::WaitedTooLong(const TripId& trip, Step& step) {
  // While it is offered somebody may still take it; it is given up when the offer ends otherwise.
  if (offers_.OfTrip(trip) != nullptr) return;
  StopWaiting(trip);
  OpenTrip* open = trips_.Find(trip);
  if (open == nullptr || !CanLookLast(*open, step.now())) {
    GiveUp(trip, step);
    return;
  }
  open->looked_last = true;
  open->radius_m = config_.rounds.max_radius_m;
  Wait(trip, *open, step.now(), /*last_look=*/true);
}

bool Matchmaker::CanLookLast(const OpenTrip& open, Time now) const {
  if (open.looked_last) return false;
  const std::optional<SharedRide> shared = SharedRideOf(open.trip);
  // Without a free driver only a rider who shares may still be put into somebody's plan.
  return shared ? now < shared->latest_pickup : fleet_.CountFree() > 0;
}

void Matchmaker::GiveUpAfterLastLooks(Step& step) {
  for (const TripId& trip : waiting_.TakeLookedLast()) {
    if (waiting_.Contains(trip)) GiveUp(trip, step);
  }
}

void Matchmaker::RoundUnanswered(Step& step) {
  waiting_.AbandonRound(step.now());
  GiveUpAfterLastLooks(step);
}

void Matchmaker::GiveUp(const TripId& trip, Step& step) {
  StopWaiting(trip);
  trip::v1::GiveUpTripRequest request;
  request.set_trip_id(trip.str());
  commands_.Send(std::move(request), {}, step);
}

void Matchmaker::GiveUpSettled(const TripId& trip, Step& step) {
  if (OpenTrip* open = trips_.Find(trip)) {
    open->give_up_at.reset();
    open->looked_last = false;
  }
  LetWait(trip, step.now() + config_.log_patience, step);
}

void Matchmaker::Finish(Step& step) {
  for (const CandidatesFound::Room& room : std::exchange(free_rooms_, {})) Take(room, step);
  if (auto round = NextRound(step.now())) {
    timers_.Set(kRoundUnanswered, step.now() + kRoundPatience);
    step.Decide(*std::move(round));
  }
  if (waiting_.InFlight()) {
    timers_.Cancel(kNextRound);
    return;
  }
  timers_.Cancel(kRoundUnanswered);
  const Time next = std::min(waiting_.NextRound().value_or(Time::max()), search_at_);
  if (next != Time::max()) {
    timers_.Set(kNextRound, next);
  } else {
    timers_.Cancel(kNextRound);
  }
}

std::optional<FindCandidates> Matchmaker::NextRound(Time now) {
  if (waiting_.InFlight()) return std::nullopt;
  std::optional<FindCandidates> round;
  if (const auto next = waiting_.NextRound(); next && *next <= now) {
    round = waiting_.StartRound(now, MaxTripsPerRound());
  }
  if (round) {
    AddSharing(*round, now);
  } else if (search_at_ <= now) {
    round.emplace();
    AddSharing(*round, now);
    if (round->moves.empty()) {
      round.reset();
    } else {
      round->round = waiting_.StartRoundOfNobody();
    }
  } else {
    return std::nullopt;
  }
  search_at_ = HasMovable() ? now + config_.rounds.match_every : Time::max();
  return round;
}

bool Matchmaker::HasMovable() const {
  if (config_.sharing.mode != SharingMode::kInsertionAndMoves) return false;
  return std::any_of(trips_.open().begin(), trips_.open().end(), [](const auto& entry) {
    const trip::v1::Trip& trip = entry.second.trip;
    return trip.state() == trip::v1::TRIP_STATE_ASSIGNED && trip.has_promise();
  });
}

void Matchmaker::AddSharing(FindCandidates& round, Time now) {
  if (config_.sharing.mode == SharingMode::kOff) return;
  round.asked_at = now;
  round.driving = config_.rounds.costs.driving;
  round.pickup_dwell = config_.sharing.dwell.pickup;
  round.dropoff_dwell = config_.sharing.dwell.dropoff;
  const auto with_margin = [&](SharedRide ride) {
    ride.latest_pickup -= config_.sharing.margin;
    ride.latest_dropoff -= config_.sharing.margin + config_.sharing.dwell.dropoff;
    return ride;
  };
  bool wanted = config_.sharing.mode == SharingMode::kInsertionAndMoves;
  std::vector<FindCandidates::Query*> sharing;
  for (FindCandidates::Query& query : round.queries) {
    if (config_.sharing.mode != SharingMode::kInsertionAndMoves) query.price = Duration::zero();
    if (query.shared) sharing.push_back(&query);
  }
  // Where more wait than a round has time for, it is the next ones' turn in the next round.
  const std::size_t first =
      sharing.empty() ? 0 : round.round * kSharedTripsPerRound % sharing.size();
  for (std::size_t i = 0; i < sharing.size(); ++i) {
    FindCandidates::Query& query = *sharing[(first + i) % sharing.size()];
    query.shared =
        i < kSharedTripsPerRound ? std::optional(with_margin(*query.shared)) : std::nullopt;
    wanted = true;
  }
  if (!wanted) return;
  round.cars = fleet_.SharedCars(now);
  if (config_.sharing.mode != SharingMode::kInsertionAndMoves) return;

  std::map<TripId, DriverId> movable;
  for (const SharedCar& car : round.cars) {
    const Driver* driver = fleet_.Find(car.driver);
    if (!RIDESTREAM_INVARIANT(driver != nullptr, "the driver of a car is known")) continue;
    for (const TripId& trip : driver->plan.MovableTrips()) movable.emplace(trip, car.driver);
  }
  const std::size_t count = std::min(kMovesPerRound, movable.size());
  auto next = movable.upper_bound(last_moved_);
  for (std::size_t i = 0; i < count; ++i, ++next) {
    if (next == movable.end()) next = movable.begin();
    last_moved_ = next->first;
    const OpenTrip* open = trips_.Find(next->first);
    if (open == nullptr || offers_.OfTrip(next->first) != nullptr) continue;
    const std::optional<SharedRide> ride = SharedRideOf(open->trip);
    if (!RIDESTREAM_INVARIANT(ride.has_value(), "a trip that may be moved is shared")) continue;
    round.moves.push_back({next->first, next->second, with_margin(*ride)});
  }
}

bool Matchmaker::IsInsertable(const TripId& trip, const InsertionFound& found,
                              std::uint64_t changes) const {
  const Driver* driver = fleet_.Find(found.driver);
  const OpenTrip* open = trips_.Find(trip);
  if (driver == nullptr || open == nullptr ||
      driver->plan.revision() != found.plan_revision + changes || driver->inserting ||
      driver->offered || !driver->connected || driver->suspect ||
      (changes == 0 && driver->route_request != 0)) {
    return false;
  }
  const auto& released = open->trip.released_driver_ids();
  return !open->declined.contains(found.driver) &&
         std::find(released.begin(), released.end(), found.driver.str()) == released.end();
}

bool Matchmaker::IsMovable(const TripId& trip) {
  const OpenTrip* open = trips_.Find(trip);
  if (open == nullptr || open->trip.state() != trip::v1::TRIP_STATE_ASSIGNED ||
      offers_.OfTrip(trip) != nullptr || commands_.IsPending<trip::v1::AdvanceTripRequest>(trip)) {
    return false;
  }
  const Driver* from = fleet_.Find(DriverId(open->trip.driver().driver_id()));
  return from != nullptr && !from->inserting;
}

DriverId Matchmaker::HolderOf(const TripId& trip) const {
  const OpenTrip* open = trips_.Find(trip);
  if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip that is moved is open")) return {};
  return DriverId(open->trip.driver().driver_id());
}

bool Matchmaker::CanTake(const CandidatesFound::Room& room, std::uint64_t changes) {
  return (waiting_.Contains(room.trip) || IsMovable(room.trip)) &&
         IsInsertable(room.trip, room.into, changes);
}

void Matchmaker::Move(const std::vector<CandidatesFound::ForMove>& moves, Step& step) {
  struct Option {
    const CandidatesFound::ForMove* move;
    const InsertionFound* to;
  };
  std::vector<Option> options;
  std::vector<MoveOption> weighed;
  for (const CandidatesFound::ForMove& move : moves) {
    if (!IsMovable(move.trip)) continue;
    MoveOption option{.from = HolderOf(move.trip)};
    if (move.room) {
      if (option.from != move.room->into.driver || !CanTake(*move.room, 0)) continue;
      option.room_from = HolderOf(move.room->trip);
    }
    for (const InsertionFound& to : move.insertions) {
      if (!IsInsertable(move.trip, to) || option.from == to.driver) continue;
      option.to = to.driver;
      option.gain = GainOfMove(move.spared, to.insertion.cost);
      options.push_back({&move, &to});
      weighed.push_back(option);
    }
  }
  for (const std::size_t i : ChooseMoves(costs_, weighed)) {
    const CandidatesFound::ForMove& move = *options[i].move;
    Insert(move.trip, weighed[i].from, *options[i].to, step);
    if (move.room) rooms_.insert_or_assign(move.trip, *move.room);
  }
}

void Matchmaker::Take(const CandidatesFound::Room& room, Step& step) {
  constexpr std::uint64_t kTheOtherIsGone = 1;
  if (!CanTake(room, kTheOtherIsGone)) return;
  const DriverId from = HolderOf(room.trip);
  StopWaiting(room.trip);
  Insert(room.trip, from, room.into, step);
}

std::size_t Matchmaker::MaxTripsPerRound() const {
  const std::size_t spare =
      config_.sharing.mode == SharingMode::kOff ? kSpareTripsPerRound : kSharedTripsPerRound;
  // Few drivers for many trips are few rows of travel times; but which trips they are given
  // matters.
  return fleet_.CountFree() > 0 ? WaitingTrips::kMaxTripsPerRound : spare;
}

void Matchmaker::TakeCandidates(const CandidatesFound& event, Step& step) {
  const bool answers_this = waiting_.IsAsked(event.round);
  const auto suitability = [this](const WaitingTrip& waiting, const DriverId& driver) {
    return SuitabilityOf(waiting, driver);
  };
  const auto insertable = [this](const TripId& trip, const InsertionFound& found) {
    return IsInsertable(trip, found);
  };
  for (const Match& match : waiting_.FinishRound(event, suitability, insertable, step.now())) {
    waiting_.Remove(match.trip.id);
    OpenTrip* open = trips_.Find(match.trip.id);
    if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip that waits is open")) continue;
    open->radius_m = match.trip.radius_m;
    if (match.insertion) {
      Insert(match.trip.id, {}, *match.insertion, step);
    } else {
      MakeOffer(match, *open, step);
    }
  }
  GiveUpAfterLastLooks(step);
  if (answers_this) Move(event.moves, step);
}

Suitability Matchmaker::SuitabilityOf(const WaitingTrip& waiting, const DriverId& id) const {
  const Driver* driver = fleet_.Find(id);
  const OpenTrip* open = trips_.Find(waiting.id);
  if (driver == nullptr || open == nullptr || !driver->IsFree(waiting.party_size)) {
    return Eligibility::kNo;
  }
  const auto& released = open->trip.released_driver_ids();
  if (open->declined.contains(id) ||
      std::find(released.begin(), released.end(), id.str()) != released.end()) {
    return Eligibility::kNo;
  }
  return {open->silent.contains(id) ? Eligibility::kLastResort : Eligibility::kYes,
          driver->Acceptance()};
}

// -- Offers
// -----------------------------------------------------------------------------------------

void Matchmaker::MakeOffer(const Match& match, const OpenTrip& open, Step& step) {
  const Time expires_at = step.now() + config_.offer_lease;
  const OfferId id = offers_.NextId();
  const OpenOffer& offer = offers_.Open(
      {id, match.candidate.driver, match.trip.id,
       MakeMessage(id, open.trip, match.candidate, expires_at, step.now()), expires_at});
  timers_.Set(OfferTimer(id), expires_at + config_.accept_grace);
  fleet_.PushOffer(match.candidate, offer.message, step);
}

void Matchmaker::TakeAnswer(const OfferAnswered& event, Step& step) {
  OpenOffer* offer = offers_.Find(OfferId(event.answer.offer_id()));
  if (offer == nullptr) {
    AnswerEndedOffer(event, step);
    return;
  }
  if (offer->driver != event.driver) {
    v1::Rejected rejected;
    *rejected.mutable_offer_answer() = event.answer;
    rejected.set_code(static_cast<std::uint32_t>(absl::StatusCode::kPermissionDenied));
    rejected.set_message(fmt::format("offer {} was made to another driver", offer->id));
    fleet_.PushRejected(event.driver, std::move(rejected), step);
    return;
  }
  // Once it is accepted, only trip decides: a second answer changes nothing.
  if (offer->state != OpenOffer::State::kOffered) return;
  if (event.answer.accept()) {
    Assign(*offer, step);
  } else {
    if (OpenTrip* open = TripOf(*offer)) open->declined.insert(offer->driver);
    End(*offer, v1::OFFER_OUTCOME_DECLINED, step.now(), step);
  }
}

OpenTrip* Matchmaker::TripOf(const OpenOffer& offer) {
  OpenTrip* open = trips_.Find(offer.trip);
  (void)RIDESTREAM_INVARIANT(open != nullptr, "a trip that is offered is open");
  return open;
}

void Matchmaker::Insert(const TripId& trip, const DriverId& from, const InsertionFound& found,
                        Step& step) {
  const OpenOffer& offer = offers_.Open({.id = offers_.NextId(),
                                         .driver = found.driver,
                                         .trip = trip,
                                         .message = {},
                                         .expires_at = step.now(),
                                         .state = OpenOffer::State::kAssigning,
                                         .inserted = true});
  fleet_.BeginInsertion(trip, found);
  SendAssign(offer, from, step);
}

void Matchmaker::Assign(OpenOffer& offer, Step& step) {
  offer.state = OpenOffer::State::kAssigning;
  timers_.Cancel(OfferTimer(offer.id));
  SendAssign(offer, {}, step);
}

void Matchmaker::SendAssign(const OpenOffer& offer, const DriverId& from, Step& step) {
  const Driver* driver = fleet_.Find(offer.driver);
  if (!RIDESTREAM_INVARIANT(driver != nullptr, "a driver with an offer is known")) {
    End(offer, v1::OFFER_OUTCOME_WITHDRAWN, step.now(), step);
    return;
  }
  trip::v1::AssignTripRequest request;
  request.set_trip_id(offer.trip.str());
  request.set_offer_id(offer.id.str());
  request.mutable_driver()->set_driver_id(offer.driver.str());
  request.mutable_driver()->set_name(driver->name);
  *request.mutable_driver()->mutable_vehicle() = driver->vehicle;
  request.set_seats(driver->seats);
  request.set_from_driver_id(from.str());
  commands_.Send(std::move(request), {}, step);
}

void Matchmaker::AnswerEndedOffer(const OfferAnswered& event, Step& step) {
  const std::string& id = event.answer.offer_id();
  const Driver* driver = fleet_.Find(event.driver);
  if (driver == nullptr) return;
  if (const v1::OfferEnded* ended = fleet_.FindEndedOffer(event.driver, OfferId(id))) {
    fleet_.PushOfferEnded(event.driver, *ended, step);
    return;
  }
  // Accepted before this process began, and the driver never heard of it.
  for (const TripId& trip : driver->plan.Trips()) {
    const OpenTrip* open = trips_.Find(trip);
    if (open == nullptr || open->trip.offer_id() != id) continue;
    fleet_.PushOfferEnded(event.driver, MakeEnded(id, trip.str(), v1::OFFER_OUTCOME_ACCEPTED),
                          step);
    return;
  }
  fleet_.PushOfferEnded(event.driver, MakeEnded(id, "", v1::OFFER_OUTCOME_WITHDRAWN), step);
}

void Matchmaker::AssignmentSettled(const trip::v1::AssignTripRequest& request,
                                   const absl::Status& status, Step& step) {
  OpenOffer* offer = offers_.Find(OfferId(request.offer_id()));
  if (offer == nullptr) return;  // The log was quicker, or the OK has ended it.
  OpenTrip* open = trips_.Find(offer->trip);
  if (open != nullptr) open->declined.insert(offer->driver);
  const Time log_is_due = step.now() + config_.log_patience;
  if (status.code() == absl::StatusCode::kAborted) {
    End(*offer, v1::OFFER_OUTCOME_ALREADY_TAKEN, log_is_due, step);
    return;
  }
  // Most likely the rider cancelled. The log, which comes by another way, will say so.
  offer->state = OpenOffer::State::kRefused;
  timers_.Set(OfferTimer(offer->id), log_is_due);
}

void Matchmaker::OfferTimeIsUp(const OfferId& id, Step& step) {
  const OpenOffer* offer = offers_.Find(id);
  if (offer == nullptr || offer->state == OpenOffer::State::kAssigning) return;
  if (offer->state == OpenOffer::State::kRefused) {
    End(*offer, v1::OFFER_OUTCOME_WITHDRAWN, step.now(), step);
    return;
  }
  if (OpenTrip* open = TripOf(*offer)) open->silent.insert(offer->driver);
  End(*offer, v1::OFFER_OUTCOME_EXPIRED, step.now(), step);
}

void Matchmaker::Withdraw(const DriverId& driver, Step& step) {
  const OpenOffer* offer = offers_.OfDriver(driver);
  if (offer == nullptr || offer->state != OpenOffer::State::kOffered) return;
  End(*offer, v1::OFFER_OUTCOME_WITHDRAWN, step.now(), step);
}

const v1::Offer* Matchmaker::OpenOfferOf(const DriverId& driver, Time now) {
  const OpenOffer* offer = offers_.OfDriver(driver);
  const bool can_answer =
      offer != nullptr && offer->state == OpenOffer::State::kOffered && now < offer->expires_at;
  return can_answer ? &offer->message : nullptr;
}

void Matchmaker::End(const OpenOffer& offer, v1::OfferOutcome outcome, Time hold_until,
                     Step& step) {
  const OpenOffer ended = offers_.Close(offer.id);
  timers_.Cancel(OfferTimer(ended.id));
  if (ended.inserted) {
    const auto room = rooms_.extract(ended.trip);
    if (room && outcome == v1::OFFER_OUTCOME_ACCEPTED) free_rooms_.push_back(room.mapped());
    fleet_.EndInsertion(ended.trip, ended.driver, outcome == v1::OFFER_OUTCOME_ACCEPTED);
    LetWait(ended.trip, hold_until, step);
    return;
  }
  fleet_.EndOffer(ended.driver, MakeEnded(ended.id.str(), ended.trip.str(), outcome), step);
  LetWait(ended.trip, hold_until, step);
}

}  // namespace ridestream::dispatch
