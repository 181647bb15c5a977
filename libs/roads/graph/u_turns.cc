#include "libs/roads/graph/u_turns.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace ridestream::roads {
namespace {

/// Whether `node` only gives a street its shape: it has two neighbours.
bool IsShapePoint(const RoadGraph& graph, NodeIndex node) {
  std::set<NodeIndex> neighbours;
  for (const Edge& e : graph.OutEdges(node)) neighbours.insert(e.to);
  for (const EdgeIndex i : graph.InEdges(node)) neighbours.insert(graph.edge(i).from);
  return neighbours.size() == 2;
}

/// The edge that continues `edge` without turning back.
std::optional<EdgeIndex> Onward(const RoadGraph& graph, EdgeIndex edge) {
  const Edge& e = graph.edge(edge);
  for (EdgeIndex i = graph.FirstOut(e.to); i < graph.FirstOut(e.to + 1); ++i) {
    if (graph.edge(i).to != e.from) return i;
  }
  return std::nullopt;
}

/// Forbids U-turns from `edge`, which leaves a restricted junction, up to the next junction.
void ForbidAlongStreet(const RoadGraph& graph, EdgeIndex edge, std::set<EdgePath>& forbidden) {
  const NodeIndex junction = graph.edge(edge).from;
  while (graph.edge(edge).to != junction && IsShapePoint(graph, graph.edge(edge).to)) {
    const auto onward = Onward(graph, edge);
    // A one-way street joins in the opposite direction, so there is only the way back.
    if (!onward) return;
    if (const auto back = graph.Opposite(edge)) forbidden.insert({edge, *back});
    edge = *onward;
  }
}

/// Forbids a car that has driven `beginning` to continue along `lasts`, and to turn back if there
/// is another way.
void ForbidAtJunction(const RoadGraph& graph, EdgePath beginning, const std::set<EdgeIndex>& lasts,
                      std::set<EdgePath>& forbidden) {
  const auto back = graph.Opposite(beginning.back());
  const auto ways = graph.OutEdges(graph.edge(beginning.back()).to).size();
  if (!back || lasts.contains(*back) || lasts.size() + 1 >= ways) return;
  beginning.push_back(*back);
  forbidden.insert(std::move(beginning));
}

}  // namespace

std::vector<EdgePath> FindForbiddenUTurns(const RoadGraph& graph) {
  std::map<EdgePath, std::set<EdgeIndex>> lasts_after;
  for (const EdgePath& path : graph.forbidden_paths()) {
    lasts_after[{path.begin(), path.end() - 1}].insert(path.back());
  }
  std::set<NodeIndex> junctions;
  std::set<EdgePath> forbidden;
  for (const auto& [beginning, lasts] : lasts_after) {
    ForbidAtJunction(graph, beginning, lasts, forbidden);
    for (const EdgeIndex edge : beginning) junctions.insert(graph.edge(edge).to);
  }
  for (const NodeIndex junction : junctions) {
    for (EdgeIndex i = graph.FirstOut(junction); i < graph.FirstOut(junction + 1); ++i) {
      ForbidAlongStreet(graph, i, forbidden);
    }
  }
  return {forbidden.begin(), forbidden.end()};
}

}  // namespace ridestream::roads
