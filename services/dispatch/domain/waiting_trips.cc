#include "services/dispatch/domain/waiting_trips.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace ridestream::dispatch {
namespace {

/// The best candidate for the trip, or null.
const Candidate* Nearest(const WaitingTrip& trip, const std::vector<Candidate>& candidates,
                         const std::set<DriverId>& taken, bool last_resorts,
                         const EligibilityFn& eligibility) {
  const Candidate* nearest = nullptr;
  Eligibility nearest_is = Eligibility::kNo;
  for (const Candidate& candidate : candidates) {
    if (taken.contains(candidate.driver)) continue;
    const Eligibility is = eligibility(trip, candidate.driver);
    if (is == Eligibility::kNo || (is == Eligibility::kLastResort && !last_resorts)) continue;
    // More eligible first, then nearer, then by id.
    if (nearest == nullptr || std::tie(nearest_is, candidate.travel_time, candidate.driver) <
                                  std::tie(is, nearest->travel_time, nearest->driver)) {
      nearest = &candidate;
      nearest_is = is;
    }
  }
  return nearest;
}

}  // namespace

void WaitingTrips::Add(WaitingTrip trip) {
  Remove(trip.id);
  next_round_ = std::min(next_round_, trip.hold_until);
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
  const auto ask = [&](const WaitingTrip& trip) {
    if (trip.hold_until > now) {
      held_until = std::min(held_until, trip.hold_until);
      return;
    }
    if (round.queries.size() == max_trips) return;
    round.queries.push_back({trip.id, trip.pickup, trip.party_size, trip.radius_m});
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
  next_round_ = now + config_.match_every;
  in_flight_ = true;
  round.round = ++round_;
  return round;
}

void WaitingTrips::AbandonRound(Time now) {
  in_flight_ = false;
  next_round_ = now + config_.match_every;
}

std::vector<Match> WaitingTrips::FinishRound(const CandidatesFound& found,
                                             const EligibilityFn& eligibility, Time now) {
  if (!in_flight_ || found.round != round_) return {};
  if (!found.trips.ok()) {
    AbandonRound(now);
    return {};
  }
  in_flight_ = false;

  std::map<Key, const std::vector<Candidate>*> answers;
  for (const CandidatesFound::ForTrip& answer : *found.trips) {
    const auto waiting = requested_at_.find(answer.trip);
    if (waiting == requested_at_.end()) continue;
    answers[{waiting->second, answer.trip}] = &answer.candidates;
  }

  std::vector<Match> matches;
  std::set<DriverId> taken;
  for (const auto& [key, candidates] : answers) {
    WaitingTrip& trip = trips_.at(key);
    const bool farthest = trip.radius_m >= config_.max_radius_m;
    const Candidate* nearest = Nearest(trip, *candidates, taken, farthest, eligibility);
    if (nearest != nullptr) {
      taken.insert(nearest->driver);
      matches.push_back({trip, *nearest});
    } else {
      trip.radius_m =
          trip.radius_m > config_.max_radius_m / 2 ? config_.max_radius_m : 2 * trip.radius_m;
    }
  }
  return matches;
}

}  // namespace ridestream::dispatch
