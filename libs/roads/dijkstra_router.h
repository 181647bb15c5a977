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
class DijkstraRouter final : public Router {
 public:
  DijkstraRouter(const RoadGraph& graph, const Snapper& snapper);

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

  Found Solve(const SnappedPoint& from, const SnappedPoint& to) const;
  std::vector<EdgeIndex> PathTo(NodeIndex node) const;

  SearchGraph forward_;  // arc i is edge i
  SearchGraph backward_;
};

}  // namespace ridestream::roads
