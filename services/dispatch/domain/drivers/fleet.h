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
  /// Each has the car alone.
  kOff,
  /// Riders who share are inserted into plans under way.
  kInsertion,
  /// And moved to better ones until their driver has come.
  kInsertionAndMoves,
};

struct SharingConfig {
  SharingMode mode = SharingMode::kInsertionAndMoves;
  /// Deliberately long: a promise shall hold also where somebody takes their time to get in.
  Dwell dwell = {};
  /// How long before what was promised a car must be there by its plan.
  Duration margin = std::chrono::seconds(30);
  /// A car follows its old plan until the new one arrives: counted from when a round asks about the
  /// plan, and from when a route is requested.
  Duration round_heard_within = std::chrono::seconds(3);
  Duration route_heard_within = std::chrono::seconds(2);
};

/// The drivers of a market: who is here and can be given what, and each one's plan, which it keeps
/// in line with the trips. Has changes of plans told (`PlanPublisher`, `Promises`). Not
/// thread-safe.
class Fleet {
 public:
  /// Positions that are kept of a driver with a plan.
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
  void Hear(const DriverId& id, Step& step);
  void DropSession(const DriverId& id, Step& step);
  /// The driver has been suspect for too long. Null if the driver isn't known.
  const Driver* Lose(const DriverId& id);
  void Move(const DriverMoved& event, Step& step);

  /// The trip, which hasn't ended, is the driver's whom it names.
  void PutTrip(const trip::v1::Trip& trip, Step& step);
  /// By its newest record the trip is no longer its driver's.
  void RemoveTrip(const trip::v1::Trip& trip, v1::PlanCause cause, Step& step);
  /// Holds what was promised against what has happened by the newest record of a trip.
  void HoldToPromise(const trip::v1::Trip& trip, Step& step);
  /// The trip is unknown to the trip service: it has no driver any more.
  void Disown(const TripId& trip, Step& step);
  /// The trip has ended, or the trip service doesn't know it.
  void Forget(const TripId& trip) { promises_.Forget(trip); }
  void TakeRoute(RouteFound event, Step& step);
  void RouteUnanswered(const DriverId& id, Step& step);
  /// The time promised to the trip's rider has passed.
  void PromiseDue(const TripId& trip, Step& step);
  /// Answers a command that has been carried out already by the plan, once the log was read.
  void RepeatPlan(const DriverId& id, v1::PlanCause cause, v1::AnsweredCommand answer, Step& step);

  /// The driver is offered a trip: until EndOffer it gets no other.
  void BeginOffer(const Candidate& candidate, Time now);
  /// False if the driver isn't known.
  bool EndOffer(const DriverId& id);

  /// Drivers who can take a trip now. Looks at all of them.
  std::size_t CountFree() const;

  /// The cars into whose plans riders may be put now, in the order of their drivers' ids.
  std::vector<SharedCar> SharedCars(Time now) const;
  /// The trip, which is about to be assigned to the driver without an offer, comes into its plan at
  /// this place. Until EndInsertion, which tells whether it became the driver's, the driver gets no
  /// other.
  void BeginInsertion(const TripId& trip, const InsertionFound& found);
  void EndInsertion(const TripId& trip, const DriverId& driver, bool assigned);
  const Promises& promises() const { return promises_; }
  /// Into the queue of a driver who has a session.
  void PushTo(const DriverId& id, v1::DriveResponse message, Step& step) const;
  void PushRejected(const DriverId& id, v1::Rejected rejected, Step& step) const;

  /// The log has been read. From now on plans are pushed, and drivers who aren't connected are
  /// suspect.
  void CatchUp(Step& step);
  bool caught_up() const { return plans_.caught_up(); }
  /// Call at the end of each step: reports changes to location, once, and forgets drivers who have
  /// neither a session nor anything to do; those are returned.
  std::vector<DriverId> Finish(Step& step);

 private:
  Driver* Touch(const DriverId& id);
  /// Null if the trip has no driver.
  const Driver* HolderOf(const TripId& trip) const;
  /// The trip has no driver any more. Returns the driver it had; null if none.
  Driver* TakeFromHolder(const TripId& trip);
  Driver& FindOrAdd(const DriverId& id);
  void MarkSuspect(Driver& driver, Step& step);
  void ClearSuspicion(Driver& driver, Step& step);
  void TellRiders(const Driver& driver, Step& step) { promises_.TellRiders(driver.AsCar(), step); }
  void PushTo(const Driver& driver, v1::DriveResponse message, Step& step) const;

  const Duration lost_after_;
  const SharingConfig sharing_;
  Timers& timers_;
  std::uint64_t drivers_added_ = 0;
  std::map<DriverId, Driver> drivers_;
  absl::flat_hash_map<TripId, DriverId> driver_of_;
  /// Places of trips that are being assigned without an offer.
  absl::flat_hash_map<TripId, Placement> placements_;
  Promises promises_;
  PlanPublisher plans_;
  /// Whose availability may have changed in this step.
  std::set<DriverId> touched_;
};

}  // namespace ridestream::dispatch
