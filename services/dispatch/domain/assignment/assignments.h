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
  /// A trip that waits comes into a plan under way; the driver agreed beforehand.
  kInsertion,
  /// The same with a trip that another driver has.
  kMove,
};

/// A pending AssignTrip. Only trip's response or its log ends it.
struct OpenAssignment {
  enum class State {
    kAsked,
    /// Trip refused; its log will show the reason.
    kRefused,
  };
  OfferId id;
  AssignmentKind kind = AssignmentKind::kOffer;
  TripId trip;
  DriverId driver;
  /// For a move: the driver who has the trip.
  DriverId from = {};
  State state = State::kAsked;
  /// For a move: the trip that takes the freed capacity.
  std::optional<CandidatesFound::FreedCapacity> freed = std::nullopt;
};

/// The assignments that are under way, at most one of each trip: asks trip for them and remembers
/// what follows when they end. Not thread-safe.
class Assignments {
 public:
  /// All outlive it.
  Assignments(Fleet& fleet, TripCommands& commands, Timers& timers)
      : fleet_(fleet), commands_(commands), timers_(timers) {}

  /// Asks trip. False, and nothing is under way, if the driver isn't known, which is a bug.
  bool Begin(OpenAssignment assignment, Step& step);
  /// The same; the trip comes into the driver's plan at this place.
  bool BeginInsertion(OpenAssignment assignment, const InsertionFound& at, Step& step);
  /// Trip refused. If the log doesn't show the reason by then, TimerKind::kAssignmentUnexplained
  /// ends the assignment.
  void Refuse(const TripId& trip, Time log_is_due);
  /// The assignment is over: `assigned` if the driver has the trip now. Nothing if there was none.
  std::optional<OpenAssignment> End(const TripId& trip, bool assigned);

  /// Null if there is none. Good until the assignment ends.
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
