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

/// The part of a round that concerns riders who share, in query and answer: insertions into plans
/// under way, moves from one plan to another, and the capacity that moves free. Changes nothing but
/// the question. Not thread-safe.
class SharedRides {
 public:
  struct Config {
    SharingConfig sharing;
    Dwell dwell;
    MatchingCosts costs;
    /// From a round for moves alone to the next.
    Duration every;
  };
  /// Trips with a driver that a round evaluates for a move.
  static constexpr std::size_t kMovesPerRound = 16;
  /// How many riders who share a round tries to insert into plans under way.
  static constexpr std::size_t kTripsPerRound = 100;

  /// A move that is worth it.
  struct Move {
    TripId trip;
    DriverId from;
    InsertionFound to;
    std::optional<CandidatesFound::FreedCapacity> freed;
  };

  /// All outlive it.
  SharedRides(const Config& config, const TripBook& trips, const TripCommands& commands,
              const Fleet& fleet, const Searches& searches, const Offers& offers,
              const Assignments& assignments);

  bool enabled() const { return config_.sharing.mode != SharingMode::kOff; }
  bool moves() const { return config_.sharing.mode == SharingMode::kInsertionAndMoves; }

  /// Adds to the question of a round what it asks about plans under way.
  void AskAbout(FindCandidates& round, Time now);
  /// When a round for moves alone is due; Time::max() while no trip can be moved.
  Time next_search() const { return search_at_; }
  /// A rider who shares has a driver now.
  void Assigned(Time now);
  /// A round has begun, or there was nothing to ask.
  void Searched(Time now);

  /// Whether the rider may still be inserted into the plan of the query, to which `changes` were
  /// made since.
  bool IsInsertable(const TripId& trip, const InsertionFound& found,
                    std::uint64_t changes = 0) const;
  /// The moves that are possible and worth it.
  std::vector<Move> Choose(const std::vector<CandidatesFound::ForMove>& moves) const;
  /// Whether the trip may take the freed capacity of a plan to which `changes` were made since.
  bool CanTake(const CandidatesFound::FreedCapacity& freed, std::uint64_t changes) const;
  /// Whose the trip is, which is about to be moved; empty for one that waits.
  DriverId HolderOf(const TripId& trip) const;

 private:
  /// Leaves out riders for whom a round has no time. False if no rider shares.
  bool AskForPlaces(FindCandidates& round) const;
  void AskForMoves(FindCandidates& round);
  SharedRide WithMargin(SharedRide ride) const;
  bool IsTaken(const TripId& trip) const;
  /// The trip has a driver who isn't there yet, and nothing else is happening to the trip.
  bool IsMovable(const TripId& trip) const;
  /// A rider who shares has a driver who isn't there yet.
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
