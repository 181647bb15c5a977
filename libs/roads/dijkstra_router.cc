#include "libs/roads/dijkstra_router.h"

#include <algorithm>

namespace ridestream::roads {
namespace {

/// Shared by all routers, as a thread asks one question at a time.
DijkstraSearch& ThreadSearch() {
  thread_local DijkstraSearch search;
  return search;
}

SearchGraph ForwardOf(const RoadGraph& graph) {
  SearchGraph result;
  for (NodeIndex node = 0; node < graph.node_count(); ++node) {
    result.first.push_back(graph.FirstOut(node));
    for (const Edge& e : graph.OutEdges(node)) result.arcs.push_back({e.to, e.duration_ms});
  }
  result.first.push_back(static_cast<std::uint32_t>(graph.edge_count()));
  return result;
}

SearchGraph BackwardOf(const RoadGraph& graph) {
  SearchGraph result;
  for (NodeIndex node = 0; node < graph.node_count(); ++node) {
    result.first.push_back(static_cast<std::uint32_t>(result.arcs.size()));
    for (const EdgeIndex i : graph.InEdges(node)) {
      result.arcs.push_back({graph.edge(i).from, graph.edge(i).duration_ms});
    }
  }
  result.first.push_back(static_cast<std::uint32_t>(result.arcs.size()));
  return result;
}

/// One end of many, and where it enters the graph or leaves it.
struct End {
  Access access;
  std::size_t index;  // among those asked for
};

/// From the accesses of one end to those of many, in `graph`. `best_ms` holds what is known
/// already.
void SearchToMany(const SearchGraph& graph, const AccessList& starts, std::span<const End> ends,
                  std::vector<std::uint32_t>& best_ms) {
  DijkstraSearch& search = ThreadSearch();
  search.Start(graph.first.size() - 1);
  std::size_t missing = 0;  // marked nodes that aren't settled yet
  for (const End& end : ends) {
    if (search.Mark(end.access.node)) ++missing;
  }
  for (const Access& start : starts) search.AddStart(start.node, start.ms);
  if (missing > 0) {
    search.Run(graph, DijkstraSearch::kMaxMs, [&](NodeIndex node, std::uint32_t) {
      return !search.marked(node) || --missing > 0;
    });
  }
  for (const End& end : ends) {
    // Final: the search ended when all of these were settled, or with nothing left to reach.
    const std::uint32_t ms = search.ms(end.access.node);
    if (ms == DijkstraSearch::kUnreached) continue;
    best_ms[end.index] = std::min(best_ms[end.index], ms + end.access.ms);
  }
}

}  // namespace

/// The best way found, along one segment if it has no `entry`.
struct DijkstraRouter::Found {
  std::uint32_t ms = kUnreachableMs;
  std::optional<Access> entry = std::nullopt;
};

DijkstraRouter::DijkstraRouter(const RoadGraph& graph, const Snapper& snapper)
    : Router(graph, snapper), forward_(ForwardOf(graph)), backward_(BackwardOf(graph)) {}

/// Leaves the labels of its search in ThreadSearch().
DijkstraRouter::Found DijkstraRouter::Solve(const SnappedPoint& from,
                                            const SnappedPoint& to) const {
  Found found;
  if (const auto direct = DirectMs(graph(), from, to)) found.ms = *direct;
  const AccessList entries = Entries(graph(), to);
  DijkstraSearch& search = ThreadSearch();
  search.Start(graph().node_count());
  for (const Access& exit : Exits(graph(), from)) search.AddStart(exit.node, exit.ms);
  search.Run(forward_, DijkstraSearch::kMaxMs, [&](NodeIndex node, std::uint32_t ms) {
    if (ms >= found.ms) return false;
    for (const Access& entry : entries) {
      if (entry.node == node && ms + entry.ms < found.ms) {
        found.ms = ms + entry.ms;
        found.entry = entry;
      }
    }
    return true;
  });
  return found;
}

std::vector<EdgeIndex> DijkstraRouter::PathTo(NodeIndex node) const {
  const DijkstraSearch& search = ThreadSearch();
  std::vector<EdgeIndex> path;
  while (search.arc(node) != DijkstraSearch::kNoArc) {
    path.push_back(search.arc(node));
    node = graph().edge(path.back()).from;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

std::optional<Route> DijkstraRouter::RouteBetween(const SnappedPoint& from,
                                                  const SnappedPoint& to) const {
  const Found found = Solve(from, to);
  if (found.ms == kUnreachableMs) return std::nullopt;
  if (!found.entry) return MakeDirectRoute(graph(), from, to);
  const std::vector<EdgeIndex> path = PathTo(found.entry->node);
  const NodeIndex start = path.empty() ? found.entry->node : graph().edge(path.front()).from;
  const AccessList exits = Exits(graph(), from);
  const std::uint32_t start_ms = ThreadSearch().ms(start);
  const auto exit = std::find_if(exits.begin(), exits.end(), [&](const Access& access) {
    return access.node == start && access.ms == start_ms;
  });
  return MakeRoute(graph(), from, *exit, path, *found.entry, to);
}

std::uint32_t DijkstraRouter::MsBetween(const SnappedPoint& from, const SnappedPoint& to) const {
  return Solve(from, to).ms;
}

std::vector<std::uint32_t> DijkstraRouter::MsTo(const SnappedPoint& to,
                                                std::span<const SnappedPoint> from) const {
  std::vector<std::uint32_t> best_ms(from.size(), kUnreachableMs);
  std::vector<End> ends;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (const auto direct = DirectMs(graph(), from[i], to)) best_ms[i] = *direct;
    for (const Access& exit : Exits(graph(), from[i])) ends.push_back({exit, i});
  }
  SearchToMany(backward_, Entries(graph(), to), ends, best_ms);
  return best_ms;
}

std::vector<std::uint32_t> DijkstraRouter::MsFrom(const SnappedPoint& from,
                                                  std::span<const SnappedPoint> to) const {
  std::vector<std::uint32_t> best_ms(to.size(), kUnreachableMs);
  std::vector<End> ends;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (const auto direct = DirectMs(graph(), from, to[i])) best_ms[i] = *direct;
    for (const Access& entry : Entries(graph(), to[i])) ends.push_back({entry, i});
  }
  SearchToMany(forward_, Exits(graph(), from), ends, best_ms);
  return best_ms;
}

}  // namespace ridestream::roads
