#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/matching/assignment_problem.h"
#include "services/dispatch/matching/costs.h"
#include "services/dispatch/matching/round.h"

namespace ridestream::dispatch {

/// A trip without a driver and without an open offer.
struct WaitingTrip {
  TripId id;
  /// The oldest request goes first.
  Time requested_at;
  LatLng pickup;
  std::uint32_t party_size = 1;
  /// How far the next round looks.
  std::uint32_t radius_m = 0;
  /// Not part of a round before.
  Time hold_until;
  /// The direct way's travel time, from pick-up to drop-off.
  Duration direct{};
  /// Set for a rider who shares.
  std::optional<SharedRide> shared = std::nullopt;
  /// Until then the price may keep the trip from a driver whom no other trip wants.
  Time held_by_price_until = Time::min();
  /// The next round is the trip's last: it looks as far as it can, and no price holds it.
  bool last_look = false;
};

/// A driver found for a trip: a free one, or one into whose plan it is put.
struct Match {
  WaitingTrip trip;
  Candidate candidate;
  std::optional<InsertionFound> insertion = std::nullopt;
};

/// Whether a driver may be offered a trip.
enum class Eligibility { kNo, kLastResort, kYes };
/// What the market knows of a driver and a trip.
struct Suitability {
  // NOLINTNEXTLINE(google-explicit-constructor): eligibility alone is the usual answer.
  Suitability(Eligibility eligible, double accepts = 1)
      : eligibility(eligible), acceptance(accepts) {}
  Eligibility eligibility;
  /// How likely the driver is to accept, above 0 up to 1.
  double acceptance;
};
using SuitabilityFn = std::function<Suitability(const WaitingTrip&, const DriverId&)>;
/// Whether the rider may still be inserted into the plan of the query.
using InsertableFn = std::function<bool(const TripId&, const InsertionFound&)>;

/// The waiting trips and the matching rounds over them: one round at a time asks for the candidates
/// of all who wait, and DecideRound pairs trips with drivers. A trip that got nobody looks twice as
/// far in the next round; a last resort is taken only when it can't look further. Not thread-safe.
class WaitingTrips {
 public:
  struct Config {
    /// From the start of a round to the start of the next.
    Duration match_every;
    std::uint32_t max_radius_m;
    MatchingMethod method = MatchingMethod::kAssignment;
    MatchingCosts costs = {};
    /// From a match to the time when its driver sets off: free drivers who would come later than
    /// this before what a rider was promised aren't asked.
    Duration response = std::chrono::seconds(45);
    /// How long a car is taken to stand for somebody: of an insertion's cost that isn't counted,
    /// for the ways of free drivers don't count it either.
    Dwell dwell = {};
    StartDeadline start_deadline = NoDeadline();
  };
  /// While no more than these wait, a new trip has its round at once: there is little to be won by
  /// waiting for others.
  static constexpr std::size_t kFewTrips = 4;
  /// What location answers in one call.
  static constexpr std::size_t kMaxTripsPerRound = 1'000;

  explicit WaitingTrips(Config config)
      : config_(std::move(config)), costs_(config_.costs, config_.dwell) {}

  /// A round for it starts when hold_until has come and none is in flight.
  void Add(WaitingTrip trip);
  void Remove(const TripId& id);
  bool Contains(const TripId& id) const { return requested_at_.contains(id); }

  /// When StartRound is due; nothing while a round is in flight or no trip waits.
  std::optional<Time> NextRound() const;
  /// Asks for at most `max_trips` (and kMaxTripsPerRound); the next round begins with those left
  /// out. Nothing if all who wait are held.
  std::optional<FindCandidates> StartRound(Time now, std::size_t max_trips = kMaxTripsPerRound);
  /// Starts a round without waiting trips, to look for moves; none may be in flight.
  std::uint64_t StartRoundOfNobody();
  bool InFlight() const { return in_flight_; }
  /// Whether that round is in flight.
  bool IsAsked(std::uint64_t round) const { return in_flight_ && round == round_; }
  /// The round in flight got no answer; a late one will be ignored.
  void AbandonRound(Time now);

  /// The pairs that the answer makes. An answer to another round than the one in flight makes none.
  std::vector<Match> FinishRound(const CandidatesFound& found, const SuitabilityFn& suitability,
                                 const InsertableFn& insertable, Time now);

  /// The trips that had their last look in a round that has ended, by an answer or without one:
  /// each once.
  std::vector<TripId> TakeLookedLast() { return std::exchange(looked_last_, {}); }

  /// Rounds whose solver had no time for all trips, so that some were paired greedily.
  std::uint64_t rounds_out_of_time() const { return rounds_out_of_time_; }

 private:
  using Key = std::pair<Time, TripId>;

  CostedTrip CostedOf(const WaitingTrip& trip, Time now) const;
  /// The answered trips that still wait; `waiting` becomes their places in trips_.
  RoundSnapshot MakeSnapshot(const std::vector<CandidatesFound::ForTrip>& answers,
                             const SuitabilityFn& suitability, const InsertableFn& insertable,
                             Time now, std::vector<WaitingTrip*>& waiting);
  RoundTrip MakeRoundTrip(const WaitingTrip& trip, const CandidatesFound::ForTrip& answer,
                          const SuitabilityFn& suitability, const InsertableFn& insertable,
                          Time now) const;
  bool IsHeldByPrice(const WaitingTrip& trip, Time now) const;
  void EndRound();

  const Config config_;
  const Costs costs_;
  std::map<Key, WaitingTrip> trips_;
  std::map<TripId, Time> requested_at_;
  std::uint64_t round_ = 0;
  bool in_flight_ = false;
  Time next_round_ = Time::max();
  /// When the pause after the last round is over.
  Time paused_until_ = Time::min();
  std::uint64_t rounds_out_of_time_ = 0;
  /// The last trip of a round that was full: the next one starts behind it.
  std::optional<Key> asked_up_to_;
  /// Trips whose last look is the round in flight, and those for which it is over.
  std::vector<TripId> looking_last_;
  std::vector<TripId> looked_last_;
};

}  // namespace ridestream::dispatch
