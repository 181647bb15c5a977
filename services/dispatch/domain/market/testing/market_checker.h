#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "services/dispatch/domain/market/market.h"

namespace ridestream::dispatch {

/// Observes a market's events, and checks each decision against the invariants. Makes no decisions
/// of its own. For tests.
class MarketChecker {
 public:
  explicit MarketChecker(Time now) : now_(now) {}

  /// Call before the market handles the event. No timer may be due.
  void Before(const Event& event, Time now);
  /// Call with the market's decisions on the event.
  void After(const std::vector<Decision>& decisions);
  /// The market's process died: its state is gone, the messages that it sent remain.
  void Restarted();

  /// Violations found, each as a sentence.
  const std::vector<std::string>& violations() const { return violations_; }
  /// Number of times that each kind of event was seen, so that a test can verify that it covered
  /// something.
  const std::map<std::string, int>& seen() const { return seen_; }
  /// The offers that a driver could answer, by driver.
  std::optional<OfferId> OpenOfferOf(const DriverId& driver) const;
  /// According to the market's events, the driver is connected and not suspect.
  bool IsPresent(const DriverId& driver) const;
  /// The newest plan that was sent to the driver.
  const v1::Plan& PlanOf(const DriverId& driver) { return drivers_[driver].plan; }

 private:
  struct SeenDriver {
    bool has_session = false;
    bool connected = false;
    bool suspect = false;
    std::uint64_t epoch = 0;
    std::uint32_t seats = 0;
    bool accepts_insertions = false;
    v1::Plan plan;
    /// The market died, or dropped the session with pushes that never arrived: what the driver says
    /// of its plan's version is what counts.
    bool versions_lost = false;
    std::uint64_t route_id = 0;
    std::optional<SetAvailability> availability;
    int offers_ended = 0;
  };
  struct SeenOffer {
    DriverId driver;
    TripId trip;
    bool accepted = false;
    /// The driver's session ended: how the offer ends may not be seen, or not be remembered.
    bool unseen = false;
    std::optional<v1::OfferOutcome> outcome = std::nullopt;
    /// The offer was the driver's n-th to end.
    int ended_as = 0;
  };

  void Note(const DriverConnected& event);
  void Note(const DriverDisconnected& event);
  void Note(const DriverSuspect& event);
  void Note(const DriverHeard& event);
  void Note(const SessionDropped& event);
  void Note(const OfferAnswered& event);
  void Note(const TripLogged& event);
  void Note(const LogCaughtUp&) { caught_up_ = true; }
  void Note(const CandidatesFound& event);
  void Note(const CommandDone& event);
  template <class E>
  void Note(const E&) {}
  void NoteTrip(const trip::v1::Trip& trip);
  void CheckPromises();

  void Check(const SendWelcome& decision);
  void Check(const Push& decision);
  void Check(const EndSession& decision);
  void Check(const SetAvailability& decision);
  void Check(const FindCandidates& decision);
  void Check(const TripCommand& decision);
  void Check(const ReportProgress& decision);
  void Check(const FindRoute&) {}
  void Check(const StepJudged& decision);
  void Check(const StreetsDriven&) {}
  void Check(const SetSurge& decision);
  void CheckInsertion(const trip::v1::AssignTripRequest& request);
  void CheckOffer(const DriverId& driver, const v1::Offer& offer);
  void CheckOfferEnded(const DriverId& driver, const v1::OfferEnded& ended);
  void CheckPlan(const DriverId& driver, const v1::Plan& plan);

  void Expect(bool condition, const std::string& violation);
  bool HasOpenOffer(const TripId& trip) const;
  std::set<std::string> TripsOf(const DriverId& driver) const;

  Time now_;
  bool caught_up_ = false;
  std::map<DriverId, SeenDriver> drivers_;
  std::map<OfferId, SeenOffer> offers_;
  std::map<TripId, std::set<DriverId>> declined_;
  /// The newest record of each trip that the market was given.
  std::map<TripId, trip::v1::Trip> trips_;
  /// By when the next stop of an open trip with a driver is to be made, where that was promised.
  std::map<TripId, Time> due_;
  /// Number of trips whose riders were notified of a broken promise.
  std::set<TripId> notified_late_;
  std::map<std::uint64_t, TripId> commands_;
  std::set<std::uint64_t> judged_commands_;
  /// The round that waits for its answer, and since when.
  std::optional<std::pair<std::uint64_t, Time>> round_;
  std::vector<std::string> violations_;
  std::map<std::string, int> seen_;
};

}  // namespace ridestream::dispatch
