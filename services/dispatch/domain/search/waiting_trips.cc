#include "services/dispatch/domain/search/waiting_trips.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "libs/base/invariant.h"

namespace ridestream::dispatch {
namespace {

/// What the solver counts in, milliseconds, within what it takes.
std::int64_t ToCost(Duration duration) {
  return std::clamp<std::int64_t>(duration / std::chrono::milliseconds(1), 0,
                                  AssignmentProblem::kMaxCost);
}

Duration Scale(Duration duration, double factor) {
  return std::chrono::round<Duration>(std::chrono::duration<double, Duration::period>(duration) *
                                      factor);
}

}  // namespace

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
                             PriceOf(trip, now) + InsertionsUncounted(trip)});
  };
  // Those for whom there is no other round go first.
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

  const std::vector<Row> rows = MakeRows(*found.trips, suitability, insertable, now);
  const OutOfTime out_of_time = config_.start_deadline();
  auto chosen = config_.method == MatchingMethod::kAssignment ? Assign(rows, out_of_time, now)
                                                              : TakeNearest(rows);
  TakeUnwanted(rows, out_of_time, now, chosen);
  std::vector<Match> matches;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    WaitingTrip& trip = *rows[i].trip;
    if (chosen[i] == nullptr) {
      trip.radius_m =
          trip.radius_m > config_.max_radius_m / 2 ? config_.max_radius_m : 2 * trip.radius_m;
    } else if (chosen[i]->insertion != nullptr) {
      matches.push_back({trip, {}, *chosen[i]->insertion});
    } else {
      matches.push_back({trip, *chosen[i]->candidate});
    }
  }
  return matches;
}

/// The oldest first.
std::vector<WaitingTrips::Row> WaitingTrips::MakeRows(
    const std::vector<CandidatesFound::ForTrip>& answers, const SuitabilityFn& suitability,
    const InsertableFn& insertable, Time now) {
  std::map<Key, const CandidatesFound::ForTrip*> by_age;
  for (const CandidatesFound::ForTrip& answer : answers) {
    const auto waiting = requested_at_.find(answer.trip);
    if (waiting != requested_at_.end()) by_age[{waiting->second, answer.trip}] = &answer;
  }
  std::vector<Row> rows;
  for (const auto& [key, answer] : by_age) {
    const auto waiting = trips_.find(key);
    if (!RIDESTREAM_INVARIANT(waiting != trips_.end(), "a trip waits since it was requested")) {
      continue;
    }
    Row& row = rows.emplace_back(Row{&waiting->second, {}});
    const WaitingTrip& trip = *row.trip;
    for (const Candidate& candidate : answer->candidates) {
      const Suitability suits = suitability(trip, candidate.driver);
      const Time there_at = now + config_.response + candidate.travel_time;
      if (suits.eligibility == Eligibility::kNo ||
          (trip.shared && there_at > trip.shared->latest_pickup)) {
        continue;
      }
      (suits.eligibility == Eligibility::kYes ? row.options : row.last_resorts)
          .push_back({&candidate, nullptr, CostOf(trip, candidate, suits.acceptance)});
    }
    for (const InsertionFound& found : answer->insertions) {
      if (!insertable(trip.id, found)) continue;
      row.options.push_back({nullptr, &found, CostOf(trip, found)});
    }
    // Somebody who let the offer run out is asked again when nobody else is in sight.
    if (row.options.empty() && trip.radius_m >= config_.max_radius_m) {
      row.options = std::exchange(row.last_resorts, {});
    }
    // Among the equally near the first id wins, whatever order they came in.
    const auto cheaper = [](const Row::Option& a, const Row::Option& b) {
      return std::tie(a.cost, a.driver()) < std::tie(b.cost, b.driver());
    };
    std::sort(row.options.begin(), row.options.end(), cheaper);
    std::sort(row.last_resorts.begin(), row.last_resorts.end(), cheaper);
  }
  return rows;
}

Duration WaitingTrips::CostOf(const WaitingTrip& trip, const Candidate& candidate,
                              double acceptance) const {
  switch (config_.method) {
    case MatchingMethod::kNearestByLine:  // One millisecond a metre: only the order counts.
      return std::chrono::round<Duration>(std::chrono::duration<double, std::milli>(
          FastDistanceM(trip.pickup, candidate.position)));
    case MatchingMethod::kNearestByTime:
      return candidate.travel_time;
    case MatchingMethod::kAssignment:
      break;
  }
  const double refusals = (1 - acceptance) / acceptance;
  return candidate.travel_time * trip.party_size + Scale(config_.costs.refusal, refusals) +
         Scale(candidate.travel_time + trip.direct, config_.costs.driving);
}

Duration WaitingTrips::CostOf(const WaitingTrip& trip, const InsertionFound& found) const {
  return found.insertion.cost - InsertionsUncounted(trip);
}

Duration WaitingTrips::PriceOf(const WaitingTrip& trip, Time now) const {
  const Duration each =
      config_.costs.unmatched + Scale(now - trip.requested_at, config_.costs.ageing);
  return each * trip.party_size + Scale(trip.direct, config_.costs.driving);
}

Duration WaitingTrips::InsertionsUncounted(const WaitingTrip& trip) const {
  return (trip.direct + config_.dwell.pickup) * trip.party_size +
         Scale(config_.dwell.pickup + config_.dwell.dropoff, config_.costs.driving);
}

std::vector<const WaitingTrips::Row::Option*> WaitingTrips::TakeNearest(
    const std::vector<Row>& rows) const {
  std::vector<const Row::Option*> chosen;
  std::set<DriverId> taken;
  for (const Row& row : rows) {
    const auto nearest =
        std::find_if(row.options.begin(), row.options.end(),
                     [&](const Row::Option& option) { return !taken.contains(option.driver()); });
    chosen.push_back(nearest == row.options.end() ? nullptr : &*nearest);
    if (chosen.back() != nullptr) taken.insert(chosen.back()->driver());
  }
  return chosen;
}

std::vector<const WaitingTrips::Row::Option*> WaitingTrips::Assign(const std::vector<Row>& rows,
                                                                   const OutOfTime& out_of_time,
                                                                   Time now) {
  absl::flat_hash_map<DriverId, std::uint32_t> column_of;
  for (const Row& row : rows) {
    for (const Row::Option& option : row.options) {
      column_of.try_emplace(option.driver(), static_cast<std::uint32_t>(column_of.size()));
    }
  }
  AssignmentProblem problem(static_cast<std::uint32_t>(column_of.size()));
  for (const Row& row : rows) {
    problem.AddRow(ToCost(PriceOf(*row.trip, now)));
    for (const Row::Option& option : row.options) {
      problem.AddOption(column_of.at(option.driver()), ToCost(option.cost));
    }
  }
  const Assignment assignment = Solve(problem, out_of_time);
  if (assignment.greedy_rows > 0) ++rounds_out_of_time_;

  std::vector<const Row::Option*> chosen(rows.size(), nullptr);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const Row::Option& option : rows[i].options) {
      if (column_of.at(option.driver()) != assignment.column_of[i]) continue;
      chosen[i] = &option;
      break;
    }
  }
  return chosen;
}

bool WaitingTrips::IsHeldByPrice(const WaitingTrip& trip, Time now) const {
  if (trip.last_look) return false;
  return trip.radius_m < config_.max_radius_m || now < trip.held_by_price_until;
}

void WaitingTrips::TakeUnwanted(const std::vector<Row>& rows, const OutOfTime& out_of_time,
                                Time now, std::vector<const Row::Option*>& chosen) {
  absl::flat_hash_set<DriverId> wanted;
  for (const Row::Option* option : chosen) {
    if (option != nullptr) wanted.insert(option->driver());
  }
  struct Offered {
    std::size_t row;
    std::map<std::uint32_t, const Row::Option*> by_column = {};
  };
  std::vector<Offered> offered;
  absl::flat_hash_map<DriverId, std::uint32_t> column_of;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (chosen[i] != nullptr || IsHeldByPrice(*rows[i].trip, now)) continue;
    Offered row{i};
    for (const auto* options : {&rows[i].options, &rows[i].last_resorts}) {
      for (const Row::Option& option : *options) {
        if (wanted.contains(option.driver())) continue;
        // A dear insertion costs those who come later more than it is worth, but it beats nothing.
        if (option.insertion != nullptr && !rows[i].trip->last_look) continue;
        const auto column =
            column_of.try_emplace(option.driver(), static_cast<std::uint32_t>(column_of.size()));
        row.by_column.try_emplace(column.first->second, &option);
      }
    }
    if (!row.by_column.empty()) offered.push_back(std::move(row));
  }
  if (offered.empty()) return;
  AssignmentProblem problem(static_cast<std::uint32_t>(column_of.size()));
  for (const Offered& row : offered) {
    problem.AddRow(AssignmentProblem::kMaxCost);
    for (const auto& [column, option] : row.by_column) {
      problem.AddOption(column, ToCost(option->cost));
    }
  }
  const Assignment assignment = Solve(problem, out_of_time);
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const auto option = offered[i].by_column.find(assignment.column_of[i]);
    if (option != offered[i].by_column.end()) chosen[offered[i].row] = option->second;
  }
}

}  // namespace ridestream::dispatch
