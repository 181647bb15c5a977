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

/// Finds the street and the direction in which a car drives from its last positions: the most
/// likely path along streets near them. A position is more likely near the street; a piece of the
/// path is more likely the better its length fits the positions' distance (P. Newson and J. Krumm,
/// "Hidden Markov Map Matching Through Noise and Sparseness", 2009). Turn restrictions apply, and
/// cars don't turn round between two positions.
///
/// A match takes some hundred microseconds. Immutable, hence safe to use from any thread; each
/// thread keeps 16 bytes per state. The graph and the snapper must outlive it.
class MapMatcher {
 public:
  /// Standard deviation of a position, in each of two directions.
  static constexpr double kNoiseM = 10;
  /// Streets farther than this from a position are not considered.
  static constexpr double kReachM = 50;
  /// Number of earlier positions that are considered, without those too close to each other to show
  /// a direction.
  static constexpr std::size_t kPositions = 6;

  MapMatcher(const TurnGraph& turns, const Snapper& snapper);

  /// The current place of a car with this track, oldest first; under way if its direction is known.
  /// nullopt if the track is empty or the last position isn't near a street, see
  /// Snapper::kMaxDistanceM.
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
