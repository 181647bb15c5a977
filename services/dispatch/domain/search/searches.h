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

/// Promises to a rider who shares; nullopt for others.
std::optional<SharedRide> SharedRideOf(const trip::v1::Trip& trip);

/// The searches for drivers: each with its radius, its excluded drivers, how long costs may hold
/// the trip, and when the trip is given up. A search begins when its trip needs a driver, pauses
/// while the trip is offered or being assigned, and ends when the trip has a driver, ends, or is
/// given up after a last round. Not thread-safe.
class Searches {
 public:
  struct Config {
    WaitingTrips::Config rounds;
    std::uint32_t radius_m;
    Duration max_wait;
    Duration price_hold;
  };

  /// All must outlive this object.
  Searches(Config config, const TripBook& trips, const Fleet& fleet, TripCommands& commands,
           Timers& timers);

  /// Adds the trip to the waiting ones from `hold_until` on, if it needs a driver and isn't
  /// waiting. It may be neither offered nor being assigned.
  void Continue(const TripId& trip, Time hold_until, Step& step);
  /// The trip is being assigned, or needs no driver: rounds skip it.
  void Rest(const TripId& trip);
  /// A driver has the trip. If it has to wait again, a new search begins.
  void Found(const TripId& trip);
  /// The trip has ended, or is unknown to its owner.
  void Forget(const TripId& trip);
  /// The search's time is over, and the trip isn't being assigned. Starts a last round with the
  /// largest radius and without a limit on costs, and gives the trip up if it finds no driver.
  void TimeIsUp(const TripId& trip, Step& step);
  /// The trip service has answered a GiveUpTrip. If it didn't give the trip up, the search starts
  /// again.
  void GiveUpSettled(const TripId& trip);

  /// The driver is never offered this trip again.
  void Decline(const TripId& trip, const DriverId& driver);
  /// The offer expired. The driver may get it again if there is no other candidate.
  void OfferExpired(const TripId& trip, const DriverId& driver);
  /// Whether this search allows offering the trip to the driver.
  Eligibility EligibilityOf(const TripId& trip, const DriverId& driver) const;

  bool IsWaiting(const TripId& trip) const { return waiting_.Contains(trip); }
  /// Matching rounds over the waiting trips.
  WaitingTrips& waiting() { return waiting_; }
  const WaitingTrips& waiting() const { return waiting_; }
  /// Returns the pairs that result from the answer. The searches of their trips pause.
  std::vector<Match> FinishRound(const CandidatesFound& found, const SuitabilityFn& suitability,
                                 const InsertableFn& insertable, Time now);
  /// Gives up the trips that got no driver in their last round.
  void GiveUpAfterLastLooks(Step& step);

 private:
  struct Search {
    absl::flat_hash_set<DriverId> declined;
    absl::flat_hash_set<DriverId> silent;
    /// Search radius of the next round; 0 before the first.
    std::uint32_t radius_m = 0;
    /// Set while the trip is waiting or offered.
    std::optional<Time> give_up_at;
    /// Time until which costs may keep the trip from a driver that no other trip needs.
    Time held_by_price_until{};
    /// Whether the search's last round has begun.
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
