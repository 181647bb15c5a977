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

/// A matching round: decides which of the candidates gets each trip. Pure functions: equal
/// snapshots give equal decisions.
namespace ridestream::dispatch {

/// How the pairs of trip and driver are chosen in a round.
enum class MatchingMethod {
  /// Oldest trip first, each takes the nearest driver: by straight line, or by travel time.
  kNearestByLine,
  kNearestByTime,
  /// All trips and drivers together, at the least total cost.
  kAssignment,
};

struct RoundRules {
  MatchingMethod method = MatchingMethod::kAssignment;
  MatchingCosts costs = {};
  Dwell dwell = {};
  /// Time from a match until its driver sets off. A free driver is a candidate only if they can
  /// reach the rider this much before the promised time.
  Duration response = std::chrono::seconds(45);
};

/// A free driver who may be offered a trip.
struct RoundDriver {
  /// Not null.
  const Candidate* candidate = nullptr;
  /// Probability that the driver accepts, above 0 up to 1.
  double acceptance = 1;
  /// An earlier offer of this trip to this driver expired: offered again only if there is no other
  /// candidate.
  bool last_resort = false;
};

/// A waiting trip and its candidates. The snapshot's owner keeps the objects that are pointed to.
struct RoundTrip {
  CostedTrip costed;
  LatLng pickup;
  /// Latest times promised to a rider who shares.
  std::optional<Time> latest_pickup = std::nullopt;
  /// Whether this round uses the trip's largest search radius.
  bool looks_furthest = false;
  /// Whether the cost of waiting may keep the trip from a driver that no other trip needs.
  bool held_by_price = false;
  /// The trip is given up if this round finds no driver, so it accepts an insertion at any cost.
  bool last_look = false;
  std::vector<RoundDriver> drivers = {};
  /// Not null. Only plans that haven't changed since the query.
  std::vector<const InsertionFound*> insertions = {};
};

struct RoundSnapshot {
  Time now;
  /// Oldest request first.
  std::vector<RoundTrip> trips;
};

/// The driver who gets a trip. At most one is set; no driver if both are null.
struct RoundChoice {
  const Candidate* driver = nullptr;
  const InsertionFound* insertion = nullptr;
};

struct RoundDecisions {
  /// One for each trip of the snapshot, in the same order. No driver is chosen twice.
  std::vector<RoundChoice> choices;
  /// Whether the solver ran out of time, so that some trips were paired greedily.
  bool out_of_time = false;
};

/// Chooses drivers for the trips. If several trips want a driver, the costs of waiting decide which
/// one gets it, and the others may stay unassigned. Afterwards each free driver who is left over
/// goes to the trip for which they cost least, at any cost, among the trips that may not be held by
/// costs (`may_be_held`).
RoundDecisions DecideRound(const RoundRules& rules, const RoundSnapshot& snapshot,
                           const StartDeadline& start_deadline);

/// A move of a trip from its driver to another driver's plan.
struct MoveOption {
  /// Total saving of everybody.
  Duration gain{};
  DriverId from = {};
  DriverId to = {};
  /// Current driver of the trip that takes the freed capacity. Empty if no trip takes it, or if
  /// that trip is waiting.
  DriverId room_from = {};
};

/// Chooses the moves that are worth it, greatest gain first. No plan takes part in two of them,
/// since a gain is only valid while the plans are unchanged. Returns the indexes in that order.
std::vector<std::size_t> ChooseMoves(const Costs& costs, std::span<const MoveOption> options);

}  // namespace ridestream::dispatch
