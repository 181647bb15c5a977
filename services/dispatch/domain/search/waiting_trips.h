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
  /// Time of the request. The oldest request goes first.
  Time requested_at;
  LatLng pickup;
  std::uint32_t party_size = 1;
  /// Search radius of the next round.
  std::uint32_t radius_m = 0;
  /// The trip isn't part of a round before this time.
  Time hold_until;
  /// Travel time of the direct route from pick-up to drop-off.
  Duration direct{};
  /// Promises to the rider; set if the rider shares.
  std::optional<SharedRide> shared = std::nullopt;
  /// Until this time costs may keep the trip from a driver that no other trip needs.
  Time held_by_price_until = Time::min();
  /// The next round is the trip's last. It uses the largest radius, and costs don't hold the trip.
  bool last_look = false;
};

/// A driver found for a trip: a free one, or one into whose plan the trip is inserted.
struct Match {
  WaitingTrip trip;
  Candidate candidate;
  std::optional<InsertionFound> insertion = std::nullopt;
};

/// Whether a driver may be offered a trip.
enum class Eligibility { kNo, kLastResort, kYes };
/// What the market knows about a driver with regard to a trip.
struct Suitability {
  // NOLINTNEXTLINE(google-explicit-constructor): eligibility alone is the usual answer.
  Suitability(Eligibility eligible, double accepts = 1)
      : eligibility(eligible), acceptance(accepts) {}
  Eligibility eligibility;
  /// Probability that the driver accepts, above 0 up to 1.
  double acceptance;
};
using SuitabilityFn = std::function<Suitability(const WaitingTrip&, const DriverId&)>;
/// Whether the rider may still be inserted into the plan in the query.
using InsertableFn = std::function<bool(const TripId&, const InsertionFound&)>;

/// The waiting trips and their matching rounds. One round at a time asks for the candidates of all
/// waiting trips, and DecideRound pairs trips with drivers. The search radius of a trip that got no
/// driver doubles in the next round. A last resort is used only at the largest radius. Not
/// thread-safe.
class WaitingTrips {
 public:
  struct Config {
    /// Time from the start of one round to the start of the next.
    Duration match_every;
    std::uint32_t max_radius_m;
    MatchingMethod method = MatchingMethod::kAssignment;
    MatchingCosts costs = {};
    /// Time from a match until its driver sets off. A free driver is a candidate only if they can
    /// reach the rider this much before the promised time.
    Duration response = std::chrono::seconds(45);
    /// Assumed dwell times. They are subtracted from an insertion's cost, since a free driver's
    /// cost doesn't include them.
    Dwell dwell = {};
    StartDeadline start_deadline = NoDeadline();
  };
  /// While at most this many trips wait, a new trip gets a round at once, since waiting for others
  /// would gain little.
  static constexpr std::size_t kFewTrips = 4;
  /// Maximum number of queries that location answers in one call.
  static constexpr std::size_t kMaxTripsPerRound = 1'000;

  explicit WaitingTrips(Config config)
      : config_(std::move(config)), costs_(config_.costs, config_.dwell) {}

  /// Adds a trip. Its round starts at `hold_until` or later, when no other round is in flight.
  void Add(WaitingTrip trip);
  void Remove(const TripId& id);
  bool Contains(const TripId& id) const { return requested_at_.contains(id); }

  /// Time at which StartRound is due; nullopt while a round is in flight or no trip waits.
  std::optional<Time> NextRound() const;
  /// Starts a round for at most `max_trips` (and kMaxTripsPerRound) trips; the next round begins
  /// with the remaining ones. nullopt if all waiting trips are held.
  std::optional<FindCandidates> StartRound(Time now, std::size_t max_trips = kMaxTripsPerRound);
  /// Starts a round without waiting trips, to find moves. No round may be in flight.
  std::uint64_t StartRoundOfNobody();
  bool InFlight() const { return in_flight_; }
  /// Whether the round with this id is in flight.
  bool IsAsked(std::uint64_t round) const { return in_flight_ && round == round_; }
  /// Ends the round in flight without an answer. A late answer will be ignored.
  void AbandonRound(Time now);

  /// Returns the pairs that result from the answer. None if the answer belongs to another round
  /// than the one in flight.
  std::vector<Match> FinishRound(const CandidatesFound& found, const SuitabilityFn& suitability,
                                 const InsertableFn& insertable, Time now);

  /// Returns, once each, the trips whose last round has ended, with or without an answer.
  std::vector<TripId> TakeLookedLast() { return std::exchange(looked_last_, {}); }

  /// Number of rounds in which the solver ran out of time, so that some trips were paired greedily.
  std::uint64_t rounds_out_of_time() const { return rounds_out_of_time_; }

 private:
  using Key = std::pair<Time, TripId>;

  CostedTrip CostedOf(const WaitingTrip& trip, Time now) const;
  /// Returns the answered trips that still wait. `waiting` is set to their indexes in trips_.
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
  /// End of the pause after the last round.
  Time paused_until_ = Time::min();
  std::uint64_t rounds_out_of_time_ = 0;
  /// The last trip of a full round. The next round starts after it.
  std::optional<Key> asked_up_to_;
  /// Trips whose last round is in flight, and trips whose last round is over.
  std::vector<TripId> looking_last_;
  std::vector<TripId> looked_last_;
};

}  // namespace ridestream::dispatch
