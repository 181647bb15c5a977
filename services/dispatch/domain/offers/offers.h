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
    /// The driver is thinking.
    kOffered,
    /// The driver accepted. Trip's response ends the offer.
    kAccepted,
  };
  OfferId id;
  DriverId driver;
  TripId trip;
  v1::Offer message = {};
  Time expires_at{};
  State state = State::kOffered;
};

/// The offers made to the drivers of a market: at most one open one of each driver and of each
/// trip. Owns each offer from start to end, pushes both to the driver, and remembers how a driver's
/// last ones ended and how likely the driver is to accept the next one.
///
///   offered ── Accept ──▶ accepted ── End ──▶ ended
///      └────────────────────────────── End ──▶ ended
///
/// Its owner ends it: when the driver declines, the lease is over (TimerKind::kOfferEnds), or the
/// trip is somebody's or nobody's any more. Not thread-safe.
class Offers {
 public:
  struct Config {
    /// How long a driver may think about an offer.
    Duration lease;
    /// How long after the lease an answer still counts.
    Duration accept_grace;
    /// Makes the ids different from those of other processes and earlier lives.
    std::string id_prefix;
  };
  /// How many ended offers are remembered of each driver.
  static constexpr std::size_t kEndedRemembered = 8;

  /// Both outlive it.
  Offers(Config config, Fleet& fleet, Timers& timers)
      : config_(std::move(config)), fleet_(fleet), timers_(timers) {}

  /// Names what is assigned, also what is assigned without an offer.
  OfferId NextId();

  /// Offers the trip to the driver; neither may have an open offer.
  void Make(const trip::v1::Trip& trip, const Candidate& driver, Step& step);
  /// The driver took it in time. The lease no longer ends it.
  void Accept(OpenOffer& offer);
  /// The offer, which is open, ended so.
  void End(const OpenOffer& offer, v1::OfferOutcome outcome, Step& step);

  /// The offer that the answer is about, if it can still be answered. Otherwise null, and the
  /// driver got the reason: the offer is another driver's, or has ended.
  OpenOffer* TakeAnswer(const DriverId& driver, const v1::OfferAnswer& answer,
                        const TripBook& trips, Step& step);

  /// Null if there is none. Good until the offer ends.
  OpenOffer* Find(const OfferId& id);
  OpenOffer* OfDriver(const DriverId& driver);
  OpenOffer* OfTrip(const TripId& trip);
  const OpenOffer* OfTrip(const TripId& trip) const;
  /// Null if the driver has none that it could still answer.
  const v1::Offer* AnswerableBy(const DriverId& driver, Time now);

  /// How likely the driver's next offer is to be accepted, above 0 and below 1: what the driver
  /// did, on top of ten offers that an average one was made.
  double AcceptanceOf(const DriverId& driver) const;

  /// The driver's next session knows nothing of offers that ended.
  void SessionDropped(const DriverId& driver);
  /// The market has forgotten the driver.
  void DriverGone(const DriverId& driver) { histories_.erase(driver); }

 private:
  struct History {
    /// The last ones, for a driver who answers again.
    std::deque<v1::OfferEnded> ended;
    /// Offers that ended by what the driver did, or didn't do.
    std::uint32_t answered = 0;
    std::uint32_t accepted = 0;
  };

  /// Tells the driver how an offer ended that isn't open.
  void TellEnded(const DriverId& driver, const std::string& offer, const TripBook& trips,
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
