#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/drivers/driver.h"
#include "services/dispatch/domain/drivers/plan_publisher.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/plan/driver_plan.h"
#include "services/dispatch/domain/promises/promises.h"

namespace ridestream::dispatch {

/// How riders who share are served.
enum class SharingMode {
  /// Each rider has the car alone.
  kOff,
  /// Riders who share are inserted into plans in progress.
  kInsertion,
  /// As above, and riders are moved to better plans until their driver arrives.
  kInsertionAndMoves,
};

struct SharingConfig {
  SharingMode mode = SharingMode::kInsertionAndMoves;
  /// Deliberately long, so that a promise holds even if a rider is slow to get in.
  Dwell dwell = {};
  /// How long before the promised time a plan must have the car at the stop.
  Duration margin = std::chrono::seconds(30);
  /// How long a car follows its old plan until the new one arrives, from the query of a round, and
  /// from the request of a route.
  Duration round_heard_within = std::chrono::seconds(3);
  Duration route_heard_within = std::chrono::seconds(2);
};

/// The drivers of a market: who is connected, who can take which trips, and each driver's plan,
/// which it updates from the trips. Changes of plans are published by `PlanPublisher` and
/// `Promises`. Not thread-safe.
class Fleet {
 public:
  /// Number of positions kept for a driver with a plan.
  static constexpr std::size_t kTrackLength = 8;

  Fleet(Duration lost_after, const SharingConfig& sharing, Timers& timers)
      : lost_after_(lost_after),
        sharing_(sharing),
        timers_(timers),
        promises_(timers),
        plans_(sharing.route_heard_within, timers, promises_) {}

  const Driver* Find(const DriverId& id) const;

  /// Answers the Hello. `open_offer` may be null.
  void Connect(const DriverConnected& event, const v1::Offer* open_offer, Step& step);
  void Disconnect(const DriverDisconnected& event);
  void Suspect(const DriverId& id, Step& step);
  void OnHeard(const DriverId& id, Step& step);
  void DropSession(const DriverId& id, Step& step);
  /// The driver has been suspect for too long. Returns null if the driver is unknown.
  const Driver* Lose(const DriverId& id);
  void Move(const DriverMoved& event, Step& step);

  /// An open trip is assigned to the driver in its record.
  void PutTrip(const trip::v1::Trip& trip, Step& step);
  /// The trip's newest record no longer names this driver.
  void RemoveTrip(const trip::v1::Trip& trip, v1::PlanCause cause, Step& step);
  /// Compares the promise with what the newest record of a trip shows.
  void HoldToPromise(const trip::v1::Trip& trip, Step& step);
  /// The trip service doesn't know the trip, which has no driver any more.
  void Disown(const TripId& trip, Step& step);
  /// The trip has ended, or the trip service doesn't know it.
  void Forget(const TripId& trip) { promises_.Forget(trip); }
  void OnRouteFound(RouteFound event, Step& step);
  void RouteUnanswered(const DriverId& id, Step& step);
  /// The time promised to the trip's rider has passed.
  void PromiseDue(const TripId& trip, Step& step);
  /// Answers a command that had been carried out before by sending the plan, once the log has been
  /// read.
  void RepeatPlan(const DriverId& id, v1::PlanCause cause, v1::AnsweredCommand answer, Step& step);

  /// The driver is offered a trip, and gets no other until EndOffer.
  void BeginOffer(const Candidate& candidate, Time now);
  /// Returns false if the driver is unknown.
  bool EndOffer(const DriverId& id);

  /// Whether a driver can take a trip now. Iterates over drivers until the first who can.
  bool AnyFree() const;

  /// The cars into whose plans riders may be inserted now, sorted by driver id.
  std::vector<SharedCar> SharedCars(Time now) const;
  /// The trip is being assigned to the driver without an offer, at this place in the plan. The
  /// driver gets no other trip until EndInsertion, which passes the outcome.
  void BeginInsertion(const TripId& trip, const InsertionFound& found);
  void EndInsertion(const TripId& trip, const DriverId& driver, bool assigned);
  const Promises& promises() const { return promises_; }
  /// Appends a message to the queue of a driver who has a session.
  void PushTo(const DriverId& id, v1::DriveResponse message, Step& step) const;
  void PushRejected(const DriverId& id, v1::Rejected rejected, Step& step) const;

  /// The log has been read. From now on plans are pushed, and drivers without a connection are
  /// suspect.
  void CatchUp(Step& step);
  bool caught_up() const { return plans_.caught_up(); }
  /// Call at the end of each step: reports each change to location once, and removes and returns
  /// the drivers who have neither a session nor a plan.
  std::vector<DriverId> Finish(Step& step);

 private:
  Driver* Touch(const DriverId& id);
  /// Null if the trip has no driver.
  const Driver* HolderOf(const TripId& trip) const;
  /// The trip has no driver any more. Returns its previous driver; null if it had none.
  Driver* Unassign(const TripId& trip);
  Driver& FindOrAdd(const DriverId& id);
  void MarkSuspect(Driver& driver, Step& step);
  void ClearSuspicion(Driver& driver, Step& step);
  void ReportToRiders(const Driver& driver, Step& step) {
    promises_.ReportToRiders(driver.AsCar(), step);
  }
  void PushTo(const Driver& driver, v1::DriveResponse message, Step& step) const;

  const Duration lost_after_;
  const SharingConfig sharing_;
  Timers& timers_;
  std::uint64_t drivers_added_ = 0;
  std::map<DriverId, Driver> drivers_;
  absl::flat_hash_map<TripId, DriverId> driver_of_;
  /// Placements of trips that are being assigned without an offer.
  absl::flat_hash_map<TripId, Placement> placements_;
  Promises promises_;
  PlanPublisher plans_;
  /// Drivers whose availability may have changed in this step.
  std::set<DriverId> touched_;
};

}  // namespace ridestream::dispatch
