#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/roads/dijkstra_search.h"
#include "libs/roads/road_graph.h"
#include "libs/roads/router.h"
#include "libs/roads/snap.h"

namespace ridestream::roads {

/// Plain Dijkstra: exact, needs no preparation, and takes time in proportion to the streets that
/// are nearer than the goal. The oracle of every faster engine.
///
/// Thread-safe; each thread that asks keeps 16 bytes for each node of the largest graph it asked.
/// The graph and the snapper must outlive it.
class DijkstraRouter final : public Router {
 public:
  DijkstraRouter(const RoadGraph& graph, const Snapper& snapper);

  absl::StatusOr<Route> FindRoute(LatLng from, LatLng to) const override;
  absl::StatusOr<Duration> TravelTime(LatLng from, LatLng to) const override;
  absl::StatusOr<std::vector<std::optional<Duration>>> TravelTimesTo(LatLng to,
                                                                     std::span<const LatLng> from,
                                                                     Duration limit) const override;

 private:
  struct Query;

  absl::StatusOr<Query> Solve(LatLng from, LatLng to) const;
  std::vector<EdgeIndex> PathTo(NodeIndex node) const;

  const RoadGraph& graph_;
  const Snapper& snapper_;
  SearchGraph forward_;  // arc i is edge i
  SearchGraph backward_;
};

}  // namespace ridestream::roads
