#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "services/dispatch/matching/assignment_problem.h"
#include "services/dispatch/matching/candidate.h"
#include "services/dispatch/matching/costs.h"

/// A round of matching: who of those who could have a trip gets it. Pure functions: the same
/// snapshot gives the same decisions.
namespace ridestream::dispatch {

/// How the pairs of a round are chosen.
enum class MatchingMethod {
  /// The oldest trip first, each takes its nearest: as the crow flies, or by travel time.
  kNearestByLine,
  kNearestByTime,
  /// All trips and drivers at once, at the least cost.
  kAssignment,
};

struct RoundRules {
  MatchingMethod method = MatchingMethod::kAssignment;
  MatchingCosts costs = {};
  Dwell dwell = {};
  /// From a match to the time when its driver sets off: free drivers who would come later than
  /// this before what a rider was promised aren't asked.
  Duration response = std::chrono::seconds(45);
};

/// A free driver who may be offered a trip.
struct RoundDriver {
  /// Not null.
  const Candidate* candidate = nullptr;
  /// How likely the driver is to accept, above 0 up to 1.
  double acceptance = 1;
  /// An earlier offer of this trip to this driver expired: offered again only if there is no other
  /// candidate.
  bool last_resort = false;
};

/// A trip that waits, and who may have it. The snapshot's owner keeps what is pointed to.
struct RoundTrip {
  CostedTrip costed;
  LatLng pickup;
  /// As promised to a rider who shares.
  std::optional<Time> latest_pickup = std::nullopt;
  /// This round has the trip's largest search radius.
  bool looks_furthest = false;
  /// The trip's cost of waiting may keep it from a driver whom no other trip wants.
  bool held_by_price = false;
  /// The trip is given up if this round finds no driver: accepts an insertion at any cost.
  bool last_look = false;
  std::vector<RoundDriver> drivers = {};
  /// Not null; only plans that are still as they were.
  std::vector<const InsertionFound*> insertions = {};
};

struct RoundSnapshot {
  Time now;
  /// The oldest first.
  std::vector<RoundTrip> trips;
};

/// The driver who gets a trip. No driver if both are null; never both are set.
struct RoundChoice {
  const Candidate* driver = nullptr;
  const InsertionFound* insertion = nullptr;
};

struct RoundDecisions {
  /// One for each trip of the snapshot, in their order. No driver is chosen twice.
  std::vector<RoundChoice> choices;
  /// The solver had no time for all trips, so that some were paired greedily.
  bool out_of_time = false;
};

/// Chooses a driver for as many trips as are worth it. The costs of waiting decide who gets a
/// driver whom several trips want, and may leave a trip waiting; they never refuse it a driver whom
/// nobody wants: of the drivers left over, each free one goes to the trip for which it costs least
/// among those that no price holds, whatever it costs.
RoundDecisions DecideRound(const RoundRules& rules, const RoundSnapshot& snapshot,
                           const StartDeadline& start_deadline);

/// A move of a trip, which has a driver, into another plan.
struct MoveOption {
  /// What all save together.
  Duration gain{};
  DriverId from = {};
  DriverId to = {};
  /// Present driver of the trip that takes the freed capacity; empty if none does, or if it waits.
  DriverId room_from = {};
};

/// Chooses the moves that are worth it, the greatest gain first, no plan in two of them: what was
/// reckoned of a plan holds until it is changed. Returns their indexes in that order.
std::vector<std::size_t> ChooseMoves(const Costs& costs, std::span<const MoveOption> options);

}  // namespace ridestream::dispatch
