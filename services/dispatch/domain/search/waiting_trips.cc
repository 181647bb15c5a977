#include "services/dispatch/domain/search/waiting_trips.h"

#include <algorithm>
#include <utility>

#include "libs/base/invariant.h"

namespace ridestream::dispatch {

void WaitingTrips::Add(WaitingTrip trip) {
  Remove(trip.id);
  const bool few = trips_.size() < kFewTrips;
  next_round_ =
      std::min(next_round_, few ? trip.hold_until : std::max(trip.hold_until, paused_until_));
  requested_at_[trip.id] = trip.requested_at;
  Key key(trip.requested_at, trip.id);
  trips_.emplace(std::move(key), std::move(trip));
}

void WaitingTrips::Remove(const TripId& id) {
  const auto it = requested_at_.find(id);
  if (it == requested_at_.end()) return;
  trips_.erase({it->second, id});
  requested_at_.erase(it);
  if (trips_.empty()) next_round_ = Time::max();
}

std::optional<Time> WaitingTrips::NextRound() const {
  if (in_flight_ || trips_.empty()) return std::nullopt;
  return next_round_;
}

std::optional<FindCandidates> WaitingTrips::StartRound(Time now, std::size_t max_trips) {
  max_trips = std::min(max_trips, kMaxTripsPerRound);
  FindCandidates round;
  Time held_until = Time::max();
  const auto may_ask = [&](const WaitingTrip& trip) {
    if (trip.hold_until > now) held_until = std::min(held_until, trip.hold_until);
    return trip.hold_until <= now && round.queries.size() < max_trips;
  };
  const auto add = [&](const WaitingTrip& trip) {
    round.queries.push_back({trip.id, trip.pickup, trip.party_size, trip.radius_m, trip.shared,
                             costs_.OfWaitingAsInsertion(CostedOf(trip, now))});
  };
  // Trips in their last round go first.
  for (const auto& [key, trip] : trips_) {
    if (!trip.last_look || !may_ask(trip)) continue;
    add(trip);
    looking_last_.push_back(trip.id);
  }
  const auto ask = [&](const WaitingTrip& trip) {
    if (trip.last_look || !may_ask(trip)) return;
    add(trip);
    asked_up_to_ = Key(trip.requested_at, trip.id);
  };
  const auto start = asked_up_to_ ? trips_.upper_bound(*asked_up_to_) : trips_.begin();
  asked_up_to_.reset();
  std::for_each(start, trips_.end(), [&](const auto& entry) { ask(entry.second); });
  std::for_each(trips_.begin(), start, [&](const auto& entry) { ask(entry.second); });

  if (round.queries.size() < max_trips) asked_up_to_.reset();
  if (round.queries.empty()) {
    next_round_ = held_until;
    return std::nullopt;
  }
  next_round_ = paused_until_ = now + config_.match_every;
  in_flight_ = true;
  round.round = ++round_;
  return round;
}

std::uint64_t WaitingTrips::StartRoundOfNobody() {
  in_flight_ = true;
  return ++round_;
}

void WaitingTrips::EndRound() {
  in_flight_ = false;
  looked_last_.insert(looked_last_.end(), looking_last_.begin(), looking_last_.end());
  looking_last_.clear();
}

void WaitingTrips::AbandonRound(Time now) {
  EndRound();
  next_round_ = paused_until_ = now + config_.match_every;
}

std::vector<Match> WaitingTrips::FinishRound(const CandidatesFound& found,
                                             const SuitabilityFn& suitability,
                                             const InsertableFn& insertable, Time now) {
  if (!in_flight_ || found.round != round_) return {};
  if (!found.trips.ok()) {
    AbandonRound(now);
    return {};
  }
  EndRound();

  std::vector<WaitingTrip*> waiting;
  const RoundSnapshot snapshot = MakeSnapshot(*found.trips, suitability, insertable, now, waiting);
  const RoundDecisions decisions =
      DecideRound({config_.method, config_.costs, config_.dwell, config_.response}, snapshot,
                  config_.start_deadline);
  if (decisions.out_of_time) ++rounds_out_of_time_;
  std::vector<Match> matches;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    WaitingTrip& trip = *waiting[i];
    const RoundChoice& choice = decisions.choices[i];
    if (choice.insertion != nullptr) {
      matches.push_back({trip, {}, *choice.insertion});
    } else if (choice.driver != nullptr) {
      matches.push_back({trip, *choice.driver});
    } else {
      trip.radius_m =
          trip.radius_m > config_.max_radius_m / 2 ? config_.max_radius_m : 2 * trip.radius_m;
    }
  }
  return matches;
}

RoundSnapshot WaitingTrips::MakeSnapshot(const std::vector<CandidatesFound::ForTrip>& answers,
                                         const SuitabilityFn& suitability,
                                         const InsertableFn& insertable, Time now,
                                         std::vector<WaitingTrip*>& waiting) {
  std::map<Key, const CandidatesFound::ForTrip*> by_age;
  for (const CandidatesFound::ForTrip& answer : answers) {
    const auto requested = requested_at_.find(answer.trip);
    if (requested != requested_at_.end()) by_age[{requested->second, answer.trip}] = &answer;
  }
  RoundSnapshot snapshot{now, {}};
  for (const auto& [key, answer] : by_age) {
    const auto trip = trips_.find(key);
    if (!RIDESTREAM_INVARIANT(trip != trips_.end(), "a trip waits since it was requested")) {
      continue;
    }
    snapshot.trips.push_back(MakeRoundTrip(trip->second, *answer, suitability, insertable, now));
    waiting.push_back(&trip->second);
  }
  return snapshot;
}

RoundTrip WaitingTrips::MakeRoundTrip(const WaitingTrip& trip,
                                      const CandidatesFound::ForTrip& answer,
                                      const SuitabilityFn& suitability,
                                      const InsertableFn& insertable, Time now) const {
  RoundTrip row{.costed = CostedOf(trip, now),
                .pickup = trip.pickup,
                .looks_furthest = trip.radius_m >= config_.max_radius_m,
                .held_by_price = IsHeldByPrice(trip, now),
                .last_look = trip.last_look};
  if (trip.shared) row.latest_pickup = trip.shared->latest_pickup;
  for (const Candidate& candidate : answer.candidates) {
    const Suitability suits = suitability(trip, candidate.driver);
    if (suits.eligibility == Eligibility::kNo) continue;
    row.drivers.push_back(
        {&candidate, suits.acceptance, suits.eligibility == Eligibility::kLastResort});
  }
  for (const InsertionFound& found : answer.insertions) {
    if (insertable(trip.id, found)) row.insertions.push_back(&found);
  }
  return row;
}

CostedTrip WaitingTrips::CostedOf(const WaitingTrip& trip, Time now) const {
  return {trip.party_size, trip.direct, now - trip.requested_at};
}

bool WaitingTrips::IsHeldByPrice(const WaitingTrip& trip, Time now) const {
  if (trip.last_look) return false;
  return trip.radius_m < config_.max_radius_m || now < trip.held_by_price_until;
}

}  // namespace ridestream::dispatch
