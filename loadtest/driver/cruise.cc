#include "loadtest/driver/cruise.h"

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace ridestream::loadtest {
namespace {

constexpr std::int64_t kLengthMs = 60'000;
constexpr double kWithinM = 5'000;  // Lets a car that was led astray find its way back.

}  // namespace

Course StreetCruises::Draw(LatLng from, Random& random) const {
  const roads::RoadGraph& graph = router_.graph();
  std::optional<roads::SnappedPoint> start =
      router_.snapper().Nearest(from, roads::StreetUse::kDrive, kWithinM);
  if (!start) return {};
  if (const auto opposite = graph.Opposite(start->edge); opposite && random.Chance(0.5)) {
    start->edge = *opposite;
    start->fraction = 1 - start->fraction;
  }
  const roads::Edge* edge = &graph.edge(start->edge);
  roads::StateIndex state = turns_.After(start->edge);
  std::vector<LatLng> points{start->point, graph.position(edge->to)};
  std::vector<std::uint32_t> leg_ms{
      static_cast<std::uint32_t>(std::lround((1 - start->fraction) * edge->duration_ms))};
  for (std::int64_t ms = leg_ms.front(); ms < kLengthMs; ms += edge->duration_ms) {
    const auto ways = turns_.Arcs(state);
    if (ways.empty()) break;
    const roads::NodeIndex came_from = edge->from;
    const auto first = random.Below(ways.size());
    for (size_t i = 0; i < ways.size(); ++i) {
      const roads::TurnGraph::Arc& way = ways[(first + i) % ways.size()];
      edge = &graph.edge(way.edge);
      state = way.head;
      if (edge->to != came_from) break;
    }
    points.push_back(graph.position(edge->to));
    leg_ms.push_back(edge->duration_ms);
  }
  std::int64_t access_ms = 0;
  return Course(std::move(points), leg_ms).JoinedFrom(from, 0, access_ms);
}

Course StreetCruises::To(LatLng from, LatLng to) const {
  const auto route = router_.FindRoute(from, to, roads::StreetUse::kDrive);
  if (!route.ok()) return {};
  std::int64_t access_ms = 0;
  return Course(route->points, route->leg_ms).JoinedFrom(from, 0, access_ms);
}

}  // namespace ridestream::loadtest
