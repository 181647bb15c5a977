#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/roads/engine/router.h"
#include "libs/roads/graph/dijkstra_search.h"
#include "libs/roads/graph/timing.h"
#include "libs/roads/graph/turn_graph.h"
#include "libs/roads/snapping/snap.h"

namespace ridestream::roads {

/// Plain Dijkstra: exact, without preprocessing, in time proportional to the number of streets
/// nearer than the goal. It is the reference for all faster engines.
///
/// Thread-safe. Each thread that uses it keeps 16 bytes for each state of the largest graph that it
/// queried.
class DijkstraRouter final : public Router {
 public:
  /// With the graph's durations.
  DijkstraRouter(const TurnGraph& turns, const Snapper& snapper);
  /// `edge_ms` as in Timing.
  DijkstraRouter(const TurnGraph& turns, const Snapper& snapper,
                 std::vector<std::uint32_t> edge_ms);

  std::optional<Route> RouteBetween(const SnappedPoint& from,
                                    const SnappedPoint& to) const override;
  std::uint32_t MsBetween(const SnappedPoint& from, const SnappedPoint& to) const override;
  std::vector<std::uint32_t> MsTo(const SnappedPoint& to,
                                  std::span<const SnappedPoint> from) const override;
  std::vector<std::uint32_t> MsFrom(const SnappedPoint& from,
                                    std::span<const SnappedPoint> to) const override;
  using Router::MsBetween;

 private:
  struct Found;

  Timing timing() const { return {turns_, edge_ms_}; }
  Found Solve(const SnappedPoint& from, const SnappedPoint& to) const;
  EdgePath PathTo(StateIndex& state) const;

  const TurnGraph& turns_;
  const std::vector<std::uint32_t> edge_ms_;
  SearchGraph forward_;  // arc i is arc i of turns_
  SearchGraph backward_;
};

}  // namespace ridestream::roads
