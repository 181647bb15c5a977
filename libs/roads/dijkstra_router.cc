#include "libs/roads/dijkstra_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/status/status.h"

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

/// One end of many, and where it enters the graph.
struct Origin {
  Access exit;
  std::size_t index;  // among those asked for
};

}  // namespace

/// A question and its answer: the best way found, along one segment if it needs no `entry`.
struct DijkstraRouter::Query {
  SnappedPoint from;
  SnappedPoint to;
  std::uint32_t best_ms = DijkstraSearch::kUnreached;
  std::optional<Access> entry = std::nullopt;
};

DijkstraRouter::DijkstraRouter(const RoadGraph& graph, const Snapper& snapper)
    : graph_(graph), snapper_(snapper), forward_(ForwardOf(graph)), backward_(BackwardOf(graph)) {}

/// Leaves the labels of its search in ThreadSearch().
absl::StatusOr<DijkstraRouter::Query> DijkstraRouter::Solve(LatLng from, LatLng to) const {
  const auto snapped_from = snapper_.Snap(from);
  if (!snapped_from.ok()) return snapped_from.status();
  const auto snapped_to = snapper_.Snap(to);
  if (!snapped_to.ok()) return snapped_to.status();

  Query query{*snapped_from, *snapped_to};
  if (const auto direct = DirectMs(graph_, query.from, query.to)) query.best_ms = *direct;
  const AccessList entries = Entries(graph_, query.to);
  DijkstraSearch& search = ThreadSearch();
  search.Start(graph_.node_count());
  for (const Access& exit : Exits(graph_, query.from)) search.AddStart(exit.node, exit.ms);
  search.Run(forward_, DijkstraSearch::kMaxMs, [&](NodeIndex node, std::uint32_t ms) {
    if (ms >= query.best_ms) return false;
    for (const Access& entry : entries) {
      if (entry.node == node && ms + entry.ms < query.best_ms) {
        query.best_ms = ms + entry.ms;
        query.entry = entry;
      }
    }
    return true;
  });
  if (query.best_ms == DijkstraSearch::kUnreached) {
    return absl::NotFoundError(fmt::format("no way leads along the streets from {} to {}",
                                           from.ToString(), to.ToString()));
  }
  return query;
}

std::vector<EdgeIndex> DijkstraRouter::PathTo(NodeIndex node) const {
  const DijkstraSearch& search = ThreadSearch();
  std::vector<EdgeIndex> path;
  while (search.arc(node) != DijkstraSearch::kNoArc) {
    path.push_back(search.arc(node));
    node = graph_.edge(path.back()).from;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

absl::StatusOr<Route> DijkstraRouter::FindRoute(LatLng from, LatLng to) const {
  const absl::StatusOr<Query> query = Solve(from, to);
  if (!query.ok()) return query.status();
  if (!query->entry) return MakeDirectRoute(graph_, query->from, query->to);
  const std::vector<EdgeIndex> path = PathTo(query->entry->node);
  const NodeIndex start = path.empty() ? query->entry->node : graph_.edge(path.front()).from;
  const AccessList exits = Exits(graph_, query->from);
  const std::uint32_t start_ms = ThreadSearch().ms(start);
  const auto exit = std::find_if(exits.begin(), exits.end(), [&](const Access& access) {
    return access.node == start && access.ms == start_ms;
  });
  return MakeRoute(graph_, query->from, *exit, path, *query->entry, query->to);
}

absl::StatusOr<Duration> DijkstraRouter::TravelTime(LatLng from, LatLng to) const {
  const absl::StatusOr<Query> query = Solve(from, to);
  if (!query.ok()) return query.status();
  return std::chrono::milliseconds(query->best_ms);
}

absl::StatusOr<std::vector<std::optional<Duration>>> DijkstraRouter::TravelTimesTo(
    LatLng to, std::span<const LatLng> from, Duration limit) const {
  if (limit < Duration::zero()) {
    return absl::InvalidArgumentError(
        fmt::format("the limit of a travel time is negative: {} us", limit.count()));
  }
  const auto goal = snapper_.Snap(to);
  if (!goal.ok()) return goal.status();
  const auto limit_ms = static_cast<std::uint32_t>(
      std::min<Duration::rep>(limit / std::chrono::milliseconds(1), DijkstraSearch::kMaxMs));

  DijkstraSearch& search = ThreadSearch();
  search.Start(graph_.node_count());
  std::vector<std::uint32_t> best_ms(from.size(), DijkstraSearch::kUnreached);
  std::vector<Origin> origins;
  std::size_t missing = 0;  // marked nodes that aren't settled yet
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto place = snapper_.Nearest(from[i]);
    if (!place) continue;
    if (const auto direct = DirectMs(graph_, *place, *goal)) best_ms[i] = *direct;
    for (const Access& exit : Exits(graph_, *place)) {
      origins.push_back({exit, i});
      if (search.Mark(exit.node)) ++missing;
    }
  }
  for (const Access& entry : Entries(graph_, *goal)) search.AddStart(entry.node, entry.ms);
  if (missing > 0) {
    search.Run(backward_, limit_ms, [&](NodeIndex node, std::uint32_t) {
      return !search.marked(node) || --missing > 0;
    });
  }
  for (const Origin& origin : origins) {
    // Final: the search ended when all of these were settled, or with nothing left in the limit.
    const std::uint32_t ms = search.ms(origin.exit.node);
    if (ms <= limit_ms)
      best_ms[origin.index] = std::min(best_ms[origin.index], ms + origin.exit.ms);
  }

  std::vector<std::optional<Duration>> times(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (best_ms[i] <= limit_ms) times[i] = std::chrono::milliseconds(best_ms[i]);
  }
  return times;
}

}  // namespace ridestream::roads
