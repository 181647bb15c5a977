#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/base/geo.h"
#include "libs/roads/graph/dijkstra_search.h"
#include "libs/roads/graph/turn_graph.h"
#include "libs/roads/snapping/snap.h"

namespace ridestream::roads {

/// Finds the street and the direction in which a car drives, from its last positions: the
/// likeliest way through streets near them, where a position is the likelier the nearer it is, and
/// a piece of the way the likelier the better its length fits the positions' distance (P. Newson
/// and J. Krumm, "Hidden Markov Map Matching Through Noise and Sparseness", 2009). Turn
/// restrictions hold, and nobody turns round between two positions.
///
/// Some hundred microseconds. Immutable, so safe to use from any thread; each that does keeps 16
/// bytes for each state. The graph and the snapper must outlive it.
class MapMatcher {
 public:
  /// A position says this about where a car is, in each direction: its standard deviation.
  static constexpr double kNoiseM = 10;
  /// Streets further than this from a position aren't considered.
  static constexpr double kReachM = 50;
  /// Positions before the last that are looked at, not counting those too near to each other to
  /// show a direction.
  static constexpr std::size_t kPositions = 6;

  MapMatcher(const TurnGraph& turns, const Snapper& snapper);

  /// Where the car of this track, oldest first, is now, under way if its direction is known.
  /// nullopt if the last position isn't near a street, see Snapper::kMaxDistanceM, or there is
  /// none.
  std::optional<SnappedPoint> Match(std::span<const LatLng> track) const;

 private:
  struct Candidate;
  using Candidates = std::vector<Candidate>;

  Candidates CandidatesAt(LatLng place) const;
  void Advance(const Candidates& before, double driven_m, Candidates& now) const;

  const TurnGraph& turns_;
  const Snapper& snapper_;
  SearchGraph lengths_;  // in decimetres
};

}  // namespace ridestream::roads
