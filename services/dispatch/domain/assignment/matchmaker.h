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

/// Brings waiting trips and drivers together. Leads a trip from its search (`Searches`, in rounds
/// that `SharedRides` adds to) to an offer (`Offers`) or straight to a plan under way, and has trip
/// assign it (`Assignments`); and back to its search if that fails. Only trip's record decides
/// which driver has a trip. Not thread-safe.
class Matchmaker {
 public:
  struct Config {
    Offers::Config offers;
    Searches::Config searches;
    SharingConfig sharing;
    /// How long to wait for trip's log to show a change that a response of trip implies.
    Duration log_patience;
  };
  /// A round that takes longer is given up: a safety net, as PlanPublisher::kRoutePatience.
  static constexpr Duration kRoundPatience = std::chrono::seconds(60);
  /// Trips in a round while no driver is free, in case location knows more.
  static constexpr std::size_t kSpareTripsPerRound = 8;

  /// All outlive it.
  Matchmaker(const Config& config, TripBook& trips, TripCommands& commands, Fleet& fleet,
             Timers& timers);

  /// The trip book has a newer record of the trip, which may have ended.
  void TripChanged(const trip::v1::Trip& trip, Step& step);
  /// The trip book has dropped the trip: its owner doesn't know it.
  void TripVanished(const TripId& trip, Step& step);
  /// Lets the trip wait for a driver, if it is to be given one and isn't waiting, offered or being
  /// assigned.
  void LetWait(const TripId& trip, Time hold_until, Step& step);
  /// The time of the trip's search is over.
  void WaitedTooLong(const TripId& trip, Step& step);
  /// Trip has answered a GiveUpTrip. An OK was applied already.
  void GiveUpSettled(const TripId& trip, Step& step);

  void TakeCandidates(const CandidatesFound& event, Step& step);
  void RoundUnanswered(Step& step);
  /// To be called at the end of each step: carries on moves, and starts a round if one is due.
  void Finish(Step& step);

  void TakeAnswer(const OfferAnswered& event, Step& step);
  /// The driver won't answer: it is lost, or its session is gone.
  void Withdraw(const DriverId& driver, Step& step);
  void OfferTimeIsUp(const OfferId& id, Step& step);
  /// Null if the driver has none that it could still answer.
  const v1::Offer* OpenOfferOf(const DriverId& driver, Time now) {
    return offers_.AnswerableBy(driver, now);
  }
  void SessionDropped(const DriverId& driver, Step& step);
  /// The market has forgotten the driver.
  void DriverGone(const DriverId& driver) { offers_.DriverGone(driver); }

  /// Trip has answered an AssignTrip. An OK was applied already.
  void AssignmentSettled(const trip::v1::AssignTripRequest& request, const absl::Status& status,
                         Step& step);
  /// Trip refused the assignment, and its log didn't show the reason in time.
  void AssignmentUnexplained(const OfferId& id, Step& step);

  std::uint64_t rounds_out_of_time() const { return searches_.waiting().rounds_out_of_time(); }

 private:
  Suitability SuitabilityOf(const WaitingTrip& waiting, const DriverId& driver) const;
  std::size_t MaxTripsPerRound() const;
  /// If one is due.
  std::optional<FindCandidates> NextRound(Time now);
  /// Puts the trip into a plan under way; `from` is the driver who has it, if one has.
  void Insert(const TripId& trip, const DriverId& from, const InsertionFound& found,
              const std::optional<CandidatesFound::FreedCapacity>& freed, Step& step);
  /// Inserts the trip for which a move has freed capacity into the plan.
  void Take(const CandidatesFound::FreedCapacity& freed, Step& step);
  void Assign(OpenOffer& offer, Step& step);
  /// Ends what is under way for the trip, an offer, an assignment or both. The trip waits again
  /// afterwards, if it still needs a driver.
  void End(const TripId& trip, v1::OfferOutcome outcome, Time hold_until, Step& step);
  /// By what is under way for the trip; empty if nothing is.
  OfferId UnderWay(const TripId& trip) const;

  const Config config_;
  TripBook& trips_;
  Fleet& fleet_;
  Timers& timers_;
  Offers offers_;
  Searches searches_;
  Assignments assignments_;
  SharedRides shared_rides_;
  /// Capacity that riders left in this step; void by the end of the step.
  std::vector<CandidatesFound::FreedCapacity> freed_capacities_;
};

}  // namespace ridestream::dispatch
