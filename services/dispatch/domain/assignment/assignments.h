#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/drivers/fleet.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/trips/trip_commands.h"

namespace ridestream::dispatch {

/// How a trip is assigned to a driver.
enum class AssignmentKind {
  /// The driver accepted an offer.
  kOffer,
  /// A waiting trip is inserted into a plan in progress. The driver agreed to this beforehand.
  kInsertion,
  /// The same for a trip of another driver.
  kMove,
};

/// A pending AssignTrip. Only the trip service's response or the trip log ends it.
struct OpenAssignment {
  enum class State {
    kAsked,
    /// The trip service refused. The trip log will show the reason.
    kRefused,
  };
  OfferId id;
  AssignmentKind kind = AssignmentKind::kOffer;
  TripId trip;
  DriverId driver;
  /// For a move: the trip's current driver.
  DriverId from = {};
  State state = State::kAsked;
  /// For a move: the trip that takes the freed capacity.
  std::optional<CandidatesFound::FreedCapacity> freed = std::nullopt;
};

/// The assignments in progress, at most one for each trip. Requests them from the trip service and
/// keeps what has to follow when they end. Not thread-safe.
class Assignments {
 public:
  /// All must outlive this object.
  Assignments(Fleet& fleet, TripCommands& commands, Timers& timers)
      : fleet_(fleet), commands_(commands), timers_(timers) {}

  /// Requests the assignment. Returns false without a request if the driver is unknown, which is a
  /// bug.
  bool Begin(OpenAssignment assignment, Step& step);
  /// The same, at this place in the driver's plan.
  bool BeginInsertion(OpenAssignment assignment, const InsertionFound& at, Step& step);
  /// The trip service refused. If the trip log doesn't show the reason by then,
  /// TimerKind::kAssignmentUnexplained ends the assignment.
  void Refuse(const TripId& trip, Time log_is_due);
  /// Ends the assignment; `assigned` if the driver has the trip now. Returns nullopt if there was
  /// none.
  std::optional<OpenAssignment> End(const TripId& trip, bool assigned);

  /// Null if there is none. Valid until the assignment ends.
  const OpenAssignment* OfTrip(const TripId& trip) const;
  const OpenAssignment* Find(const OfferId& id) const;

 private:
  Fleet& fleet_;
  TripCommands& commands_;
  Timers& timers_;
  std::map<TripId, OpenAssignment> of_trip_;
  absl::flat_hash_map<OfferId, TripId> trip_of_;
};

}  // namespace ridestream::dispatch
