#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/offers/offer_book.h"
#include "services/dispatch/domain/search/waiting_trips.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/domain/trips/trip_commands.h"
#include "services/dispatch/matching/costs.h"
#include "services/dispatch/matching/round.h"

namespace ridestream::dispatch {

/// Brings waiting trips and free drivers together: rounds find candidates, an offer asks one
/// driver, trip assigns on acceptance. What decides who has a trip is trip's record alone. Not
/// thread-safe.
class Matchmaker {
 public:
  struct Config {
    Duration offer_lease;
    Duration accept_grace;
    WaitingTrips::Config rounds;
    SharingConfig sharing;
    std::uint32_t radius_m;
    Duration max_wait;
    Duration price_hold;
    /// How long trip's log is waited for where its answer announced news.
    Duration log_patience;
    std::string offer_id_prefix;
  };
  /// A round that takes longer is given up: a safety net, as Fleet::kRoutePatience.
  static constexpr Duration kRoundPatience = std::chrono::seconds(60);
  /// A round looks at so many trips that have a driver, whether another would serve them better.
  static constexpr std::size_t kMovesPerRound = 16;
  /// Of riders who share, a round looks for so many at the plans under way.
  static constexpr std::size_t kSharedTripsPerRound = 100;
  /// While no driver is free, a round looks at so many trips only, for what location may know.
  static constexpr std::size_t kSpareTripsPerRound = 8;

  /// All outlive it.
  Matchmaker(Config config, TripBook& trips, TripCommands& commands, Fleet& fleet, Timers& timers);

  /// The trip book has a newer record of the trip, which may have ended.
  void TripChanged(const trip::v1::Trip& trip, Step& step);
  /// The trip book has dropped the trip: its owner doesn't know it.
  void TripVanished(const TripId& trip, Step& step);
  /// Lets the trip wait for a driver, if it is to be given one and isn't waiting or offered.
  void LetWait(const TripId& trip, Time hold_until, Step& step);
  void TakeCandidates(const CandidatesFound& event, Step& step);
  void RoundUnanswered(Step& step);
  /// To be called at the end of each step: carries on moves, and starts a round if one is due.
  void Finish(Step& step);

  void TakeAnswer(const OfferAnswered& event, Step& step);
  /// The driver won't answer: it is lost, or its session is gone.
  void Withdraw(const DriverId& driver, Step& step);
  void OfferTimeIsUp(const OfferId& id, Step& step);
  /// Null if the driver has none that it could still answer.
  const v1::Offer* OpenOfferOf(const DriverId& driver, Time now);

  /// Trip has answered an AssignTrip. An OK was applied already.
  void AssignmentSettled(const trip::v1::AssignTripRequest& request, const absl::Status& status,
                         Step& step);
  /// The search's time is over: looks for the last time, as far as it may and whatever it costs,
  /// and then gives the trip up.
  void WaitedTooLong(const TripId& trip, Step& step);

  std::uint64_t rounds_out_of_time() const { return waiting_.rounds_out_of_time(); }
  /// Trip has answered a GiveUpTrip. An OK was applied already.
  void GiveUpSettled(const TripId& trip, Step& step);

 private:
  void Wait(const TripId& id, const OpenTrip& open, Time hold_until, bool last_look);
  bool CanLookLast(const OpenTrip& open, Time now) const;
  /// Gives up those who had their last look in vain.
  void GiveUpAfterLastLooks(Step& step);
  void GiveUp(const TripId& trip, Step& step);
  Suitability SuitabilityOf(const WaitingTrip& waiting, const DriverId& driver) const;
  std::size_t MaxTripsPerRound() const;
  /// `changes` were made to the plan since it was asked about.
  bool IsInsertable(const TripId& trip, const InsertionFound& found,
                    std::uint64_t changes = 0) const;
  /// It has a driver who isn't there yet, and nothing else is happening to it.
  bool IsMovable(const TripId& trip);
  /// Whose the trip is, which is about to be moved; empty for one that waits.
  DriverId HolderOf(const TripId& trip) const;
  bool CanTake(const CandidatesFound::Room& room, std::uint64_t changes);
  /// If one is due.
  std::optional<FindCandidates> NextRound(Time now);
  /// A rider who shares has a driver who isn't there yet.
  bool HasMovable() const;
  void AddSharing(FindCandidates& round, Time now);
  void MakeOffer(const Match& match, const OpenTrip& open, Step& step);
  /// Null only by a bug.
  OpenTrip* TripOf(const OpenOffer& offer);
  /// Puts the trip into a plan under way; `from` is the driver who has it, if one has.
  void Insert(const TripId& trip, const DriverId& from, const InsertionFound& found, Step& step);
  /// The best of the moves that were found, as far as they are worth it.
  void Move(const std::vector<CandidatesFound::ForMove>& moves, Step& step);
  void Take(const CandidatesFound::Room& room, Step& step);
  void SendAssign(const OpenOffer& offer, const DriverId& from, Step& step);
  void Assign(OpenOffer& offer, Step& step);
  void AnswerEndedOffer(const OfferAnswered& event, Step& step);
  /// The trip waits again afterwards, if it still needs a driver.
  void End(const OpenOffer& offer, v1::OfferOutcome outcome, Time hold_until, Step& step);
  void StopWaiting(const TripId& trip);

  const Config config_;
  TripBook& trips_;
  TripCommands& commands_;
  Fleet& fleet_;
  Timers& timers_;
  OfferBook offers_;
  WaitingTrips waiting_;
  const Costs costs_;
  /// The last trip that was looked at for a move: the next round goes on behind it.
  TripId last_moved_;
  /// What follows when the trip is moved, which is about to be.
  std::map<TripId, CandidatesFound::Room> rooms_;
  /// Those who had it are gone by the end of this step.
  std::vector<CandidatesFound::Room> free_rooms_;
  /// When a round is due for moves alone.
  Time search_at_ = Time::max();
};

}  // namespace ridestream::dispatch
