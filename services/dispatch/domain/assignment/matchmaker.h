#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/assignment/assignments.h"
#include "services/dispatch/domain/assignment/shared_rides.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/offers/offers.h"
#include "services/dispatch/domain/search/searches.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/domain/trips/trip_commands.h"

namespace ridestream::dispatch {

/// Finds drivers for waiting trips. Takes a trip from its search (`Searches`, in rounds to which
/// `SharedRides` contributes) to an offer (`Offers`) or directly to a plan in progress, asks the
/// trip service to assign it (`Assignments`), and returns it to its search if that fails. Only the
/// trip service's record decides which driver has a trip. Not thread-safe.
class Matchmaker {
 public:
  struct Config {
    Offers::Config offers;
    Searches::Config searches;
    SharingConfig sharing;
    /// How long to wait for the trip log to show a change that a response of the trip service
    /// implies.
    Duration log_patience;
  };
  /// A round that takes longer is abandoned. A safety net, as PlanPublisher::kRoutePatience.
  static constexpr Duration kRoundPatience = std::chrono::seconds(60);
  /// Number of trips in a round while no driver is free, in case location knows more.
  static constexpr std::size_t kSpareTripsPerRound = 8;

  /// All must outlive this object.
  Matchmaker(const Config& config, TripBook& trips, TripCommands& commands, Fleet& fleet,
             Timers& timers);

  /// The trip book has a newer record of the trip, which may be an ended one.
  void TripChanged(const trip::v1::Trip& trip, Step& step);
  /// The trip book has dropped the trip, since the trip service doesn't know it.
  void TripVanished(const TripId& trip, Step& step);
  /// Adds the trip to the waiting ones if it needs a driver and isn't waiting, offered or being
  /// assigned.
  void EnsureWaiting(const TripId& trip, Time hold_until, Step& step);
  /// The time limit of the trip's search has passed.
  void WaitedTooLong(const TripId& trip, Step& step);
  /// The trip service has answered a GiveUpTrip. An OK has already been applied.
  void GiveUpSettled(const TripId& trip, Step& step);

  void OnCandidatesFound(const CandidatesFound& event, Step& step);
  void RoundUnanswered(Step& step);
  /// Call at the end of each step: continues moves, and starts a round if one is due.
  void Finish(Step& step);

  void OnOfferAnswered(const OfferAnswered& event, Step& step);
  /// The driver won't answer, since the driver is lost or the session is gone.
  void Withdraw(const DriverId& driver, Step& step);
  void OnOfferExpired(const OfferId& id, Step& step);
  /// Null if the driver has no offer that can still be answered.
  const v1::Offer* OpenOfferOf(const DriverId& driver, Time now) {
    return offers_.AnswerableBy(driver, now);
  }
  void SessionDropped(const DriverId& driver, Step& step);
  /// The market has removed the driver.
  void DriverGone(const DriverId& driver) { offers_.DriverGone(driver); }

  /// The trip service has answered an AssignTrip. An OK has already been applied.
  void AssignmentSettled(const trip::v1::AssignTripRequest& request, const absl::Status& status,
                         Step& step);
  /// The trip service refused the assignment, and the trip log didn't show the reason in time.
  void AssignmentUnexplained(const OfferId& id, Step& step);

  std::uint64_t rounds_out_of_time() const { return searches_.waiting().rounds_out_of_time(); }

 private:
  Suitability SuitabilityOf(const WaitingTrip& waiting, const DriverId& driver) const;
  std::size_t MaxTripsPerRound() const;
  /// Starts a round if one is due.
  std::optional<FindCandidates> NextRound(Time now);
  /// Assigns the trip into a plan in progress. `from` is the trip's current driver, if it has one.
  void Insert(const TripId& trip, const DriverId& from, const InsertionFound& found,
              const std::optional<CandidatesFound::FreedCapacity>& freed, Step& step);
  /// Inserts the trip for which a move has freed capacity.
  void InsertIntoFreedCapacity(const CandidatesFound::FreedCapacity& freed, Step& step);
  void Assign(OpenOffer& offer, Step& step);
  /// Ends the trip's offer, assignment or both. The trip waits again afterwards, if it still needs
  /// a driver.
  void End(const TripId& trip, v1::OfferOutcome outcome, Time hold_until, Step& step);
  /// The driver in the trip's open offer or assignment; empty if there is none.
  OfferId UnderWay(const TripId& trip) const;

  const Config config_;
  TripBook& trips_;
  Fleet& fleet_;
  Timers& timers_;
  Offers offers_;
  Searches searches_;
  Assignments assignments_;
  SharedRides shared_rides_;
  /// Capacity that was freed in this step. Cleared at the end of the step.
  std::vector<CandidatesFound::FreedCapacity> freed_capacities_;
};

}  // namespace ridestream::dispatch
