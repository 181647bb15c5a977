#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/assignment/assignments.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/offers/offers.h"
#include "services/dispatch/domain/search/searches.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/domain/trips/trip_commands.h"
#include "services/dispatch/matching/costs.h"

namespace ridestream::dispatch {

/// The part of a round that concerns riders who share, both in the query and in the answer:
/// insertions into plans in progress, moves from one plan to another, and the capacity that moves
/// free. Modifies nothing but the query. Not thread-safe.
class SharedRides {
 public:
  struct Config {
    SharingConfig sharing;
    Dwell dwell;
    MatchingCosts costs;
    /// Time from one round for moves only to the next.
    Duration every;
  };
  /// Maximum number of trips with a driver that a round evaluates for a move.
  static constexpr std::size_t kMovesPerRound = 16;
  /// Maximum number of riders whom a round tries to insert into plans in progress.
  static constexpr std::size_t kTripsPerRound = 100;

  /// A move that is worth it.
  struct Move {
    TripId trip;
    DriverId from;
    InsertionFound to;
    std::optional<CandidatesFound::FreedCapacity> freed;
  };

  /// All must outlive this object.
  SharedRides(const Config& config, const TripBook& trips, const TripCommands& commands,
              const Fleet& fleet, const Searches& searches, const Offers& offers,
              const Assignments& assignments);

  bool enabled() const { return config_.sharing.mode != SharingMode::kOff; }
  bool moves() const { return config_.sharing.mode == SharingMode::kInsertionAndMoves; }

  /// Adds the questions about plans in progress to a round's query.
  void AddPlanQueries(FindCandidates& round, Time now);
  /// Time at which a round for moves only is due; Time::max() while no trip can be moved.
  Time next_search() const { return search_at_; }
  /// A rider who shares has got a driver.
  void Assigned(Time now);
  /// A round has begun, or had nothing to ask.
  void Searched(Time now);

  /// Whether the rider may still be inserted into the plan in the query, after the `changes` made
  /// to it since.
  bool IsInsertable(const TripId& trip, const InsertionFound& found,
                    std::uint64_t changes = 0) const;
  /// Returns the moves that are possible and worth it.
  std::vector<Move> Choose(const std::vector<CandidatesFound::ForMove>& moves) const;
  /// Whether the trip may take the freed capacity of a plan after the `changes` made to it since.
  bool CanTake(const CandidatesFound::FreedCapacity& freed, std::uint64_t changes) const;
  /// Current driver of the trip to be moved; empty if the trip is waiting.
  DriverId HolderOf(const TripId& trip) const;

 private:
  /// Drops the riders for whom a round has no time. Returns false if no rider shares.
  bool SelectInsertions(FindCandidates& round) const;
  void SelectMoves(FindCandidates& round);
  SharedRide WithMargin(SharedRide ride) const;
  bool IsTaken(const TripId& trip) const;
  /// Whether the trip's driver hasn't arrived yet and nothing else is in progress for the trip.
  bool IsMovable(const TripId& trip) const;
  /// Whether some rider who shares has a driver who hasn't arrived yet.
  bool HasMovable() const;

  const Config config_;
  const Costs costs_;
  const TripBook& trips_;
  const TripCommands& commands_;
  const Fleet& fleet_;
  const Searches& searches_;
  const Offers& offers_;
  const Assignments& assignments_;
  /// The last trip that was evaluated for a move. The next round continues after it.
  TripId last_moved_;
  Time search_at_ = Time::max();
};

}  // namespace ridestream::dispatch
