#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/search/waiting_trips.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/domain/trips/trip_commands.h"

namespace ridestream::dispatch {

/// As promised to a rider who shares; nothing for others.
std::optional<SharedRide> SharedRideOf(const trip::v1::Trip& trip);

/// The searches for drivers: the radius of each, the excluded drivers, how long costs may hold the
/// trip, and when it is given up. A search begins when its trip needs a driver, rests while the
/// trip is offered or being assigned, and ends when the trip is a driver's, is given up after a
/// last look, or ends. Not thread-safe.
class Searches {
 public:
  struct Config {
    WaitingTrips::Config rounds;
    std::uint32_t radius_m;
    Duration max_wait;
    Duration price_hold;
  };

  /// All outlive it.
  Searches(Config config, const TripBook& trips, const Fleet& fleet, TripCommands& commands,
           Timers& timers);

  /// Lets the trip wait for a driver from `hold_until` on, if it needs one and isn't waiting. It
  /// may be neither offered nor being assigned.
  void Continue(const TripId& trip, Time hold_until, Step& step);
  /// The trip is being assigned, or needs no driver: rounds leave it out.
  void Rest(const TripId& trip);
  /// A driver has the trip. Should it come to wait again, that is a new search.
  void Found(const TripId& trip);
  /// The trip has ended, or is unknown to its owner.
  void Forget(const TripId& trip);
  /// The search's time is over, and the trip isn't being assigned: takes a last look, as far as it
  /// may and whatever it costs, and then gives the trip up.
  void TimeIsUp(const TripId& trip, Step& step);
  /// Trip has answered a GiveUpTrip: if trip didn't give it up, the search starts again.
  void GiveUpSettled(const TripId& trip);

  /// The driver never gets this trip again.
  void Decline(const TripId& trip, const DriverId& driver);
  /// The offer expired: the driver may get it again when no other driver is left.
  void LetRunOut(const TripId& trip, const DriverId& driver);
  /// Whether the driver may have the trip, by what happened in this search.
  Eligibility EligibilityOf(const TripId& trip, const DriverId& driver) const;

  bool IsWaiting(const TripId& trip) const { return waiting_.Contains(trip); }
  /// The rounds over those who wait.
  WaitingTrips& waiting() { return waiting_; }
  const WaitingTrips& waiting() const { return waiting_; }
  /// The pairs that the answer makes; their trips rest.
  std::vector<Match> FinishRound(const CandidatesFound& found, const SuitabilityFn& suitability,
                                 const InsertableFn& insertable, Time now);
  /// Gives up those who had their last look in vain, in a round that has ended.
  void GiveUpAfterLastLooks(Step& step);

 private:
  struct Search {
    absl::flat_hash_set<DriverId> declined;
    absl::flat_hash_set<DriverId> silent;
    /// How far the next round looks; 0 before the first.
    std::uint32_t radius_m = 0;
    /// Set while the trip waits or is offered.
    std::optional<Time> give_up_at;
    /// Until when costs may keep the trip from a driver whom no other trip wants.
    Time held_by_price_until{};
    /// The round that every search ends with was begun.
    bool looked_last = false;
  };

  void Wait(const trip::v1::Trip& trip, const Search& search, Time hold_until, bool last_look);
  bool CanLookLast(const OpenTrip& open, const Search& search, Time now) const;
  void GiveUp(const TripId& trip, Step& step);

  const Config config_;
  const TripBook& trips_;
  const Fleet& fleet_;
  TripCommands& commands_;
  Timers& timers_;
  std::map<TripId, Search> searches_;
  WaitingTrips waiting_;
};

}  // namespace ridestream::dispatch
