#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/trips/trip_book.h"
#include "services/dispatch/matching/candidate.h"

namespace ridestream::dispatch {

/// An offer that hasn't ended.
struct OpenOffer {
  enum class State {
    /// The driver hasn't answered.
    kOffered,
    /// The driver accepted. The trip service's response ends the offer.
    kAccepted,
  };
  OfferId id;
  DriverId driver;
  TripId trip;
  v1::Offer message = {};
  Time expires_at{};
  State state = State::kOffered;
};

/// The offers in a market: at most one open offer for each driver and each trip. Owns an offer from
/// start to end, pushes both events to the driver, and keeps the outcomes of each driver's last
/// offers and the probability that the driver accepts the next one.
///   offered ── Accept ──▶ accepted ── End ──▶ ended
///      └────────────────────────────── End ──▶ ended
///
/// The caller ends an offer: when the driver declines, when its lease expires
/// (TimerKind::kOfferEnds), or when the trip is assigned to another driver or ends. Not
/// thread-safe.
class Offers {
 public:
  struct Config {
    /// How long a driver may take to answer.
    Duration lease;
    /// How long after the lease an answer is still accepted.
    Duration accept_grace;
    /// Makes ids unique across processes and restarts.
    std::string id_prefix;
  };
  /// Number of ended offers kept for each driver.
  static constexpr std::size_t kEndedRemembered = 8;

  /// Both must outlive this object.
  Offers(Config config, Fleet& fleet, Timers& timers)
      : config_(std::move(config)), fleet_(fleet), timers_(timers) {}

  /// Returns a new id, for an offer or for an assignment without an offer.
  OfferId NextId();

  /// Offers the trip to the driver. Neither may have an open offer.
  void Make(const trip::v1::Trip& trip, const Candidate& driver, Step& step);
  /// The driver accepted in time. The lease no longer ends the offer.
  void Accept(OpenOffer& offer);
  /// Ends the open offer with this outcome.
  void End(const OpenOffer& offer, v1::OfferOutcome outcome, Step& step);

  /// Returns the offer that the answer refers to, if it can still be answered. Otherwise null, and
  /// the driver is sent the reason: the offer was made to another driver, or has ended.
  OpenOffer* FindForAnswer(const DriverId& driver, const v1::OfferAnswer& answer,
                           const TripBook& trips, Step& step);

  /// Null if there is none. Valid until the offer ends.
  OpenOffer* Find(const OfferId& id);
  OpenOffer* OfDriver(const DriverId& driver);
  OpenOffer* OfTrip(const TripId& trip);
  const OpenOffer* OfTrip(const TripId& trip) const;
  /// Null if the driver has no offer that can still be answered.
  const v1::Offer* AnswerableBy(const DriverId& driver, Time now);

  /// Probability that the driver accepts the next offer, above 0 and below 1: the driver's own
  /// record, with a prior of ten offers to an average driver.
  double AcceptanceOf(const DriverId& driver) const;

  /// The driver begins a new session, which doesn't know offers that ended.
  void SessionDropped(const DriverId& driver);
  /// The market has removed the driver.
  void DriverGone(const DriverId& driver) { histories_.erase(driver); }

 private:
  struct History {
    /// The last ended offers, for a driver who answers again.
    std::deque<v1::OfferEnded> ended;
    /// Offers that ended by the driver's answer or silence.
    std::uint32_t answered = 0;
    std::uint32_t accepted = 0;
  };

  /// Sends the driver the outcome of an offer that isn't open.
  void PushOfferEnded(const DriverId& driver, const std::string& offer, const TripBook& trips,
                      Step& step);
  void Remember(const DriverId& driver, const v1::OfferEnded& ended);

  const Config config_;
  Fleet& fleet_;
  Timers& timers_;
  std::uint64_t last_id_ = 0;
  absl::node_hash_map<OfferId, OpenOffer> open_;
  absl::flat_hash_map<DriverId, OpenOffer*> of_driver_;
  absl::flat_hash_map<TripId, OpenOffer*> of_trip_;
  absl::flat_hash_map<DriverId, History> histories_;
};

}  // namespace ridestream::dispatch
