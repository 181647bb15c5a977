#include "libs/roads/engine/dijkstra_router.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ridestream::roads {
namespace {

/// Shared by all routers, because a thread runs one query at a time.
DijkstraSearch& ThreadSearch() {
  thread_local DijkstraSearch search;
  return search;
}

/// The duration of an edge for the search. Closed edges get a duration that a search can't exceed,
/// see Run.
std::uint32_t ArcMs(std::uint32_t edge_ms) {
  return edge_ms == kClosedMs ? DijkstraSearch::kMaxMs + 1 : edge_ms;
}

SearchGraph ForwardOf(const Timing& timing) {
  SearchGraph result;
  for (StateIndex state = 0; state < timing.turns.state_count(); ++state) {
    result.first.push_back(timing.turns.FirstArc(state));
    for (const TurnGraph::Arc& arc : timing.turns.Arcs(state)) {
      result.arcs.push_back({arc.head, ArcMs(timing.edge_ms[arc.edge])});
    }
  }
  result.first.push_back(static_cast<std::uint32_t>(result.arcs.size()));
  return result;
}

SearchGraph BackwardOf(const SearchGraph& forward) {
  SearchGraph result;
  result.first.assign(forward.first.size(), 0);
  for (const SearchGraph::Arc& arc : forward.arcs) ++result.first[arc.head + 1];
  std::partial_sum(result.first.begin(), result.first.end(), result.first.begin());
  result.arcs.resize(forward.arcs.size());
  std::vector<std::uint32_t> next(result.first.begin(), result.first.end() - 1);
  for (StateIndex state = 0; state + 1 < forward.first.size(); ++state) {
    for (std::uint32_t i = forward.first[state]; i < forward.first[state + 1]; ++i) {
      result.arcs[next[forward.arcs[i].head]++] = {state, forward.arcs[i].duration_ms};
    }
  }
  return result;
}

/// One end of a many-to-many query, and where it enters or leaves the graph.
struct End {
  Access access;
  std::size_t index;  // Index among the requested places.
};

/// Searches from the accesses of one end to those of many, in `graph`. `best_ms` contains the times
/// that are already known, and is improved.
void SearchToMany(const SearchGraph& graph, const AccessList& starts, std::span<const End> ends,
                  std::vector<std::uint32_t>& best_ms) {
  DijkstraSearch& search = ThreadSearch();
  search.Start(graph.first.size() - 1);
  std::size_t missing = 0;  // marked nodes that aren't settled yet
  for (const End& end : ends) {
    if (search.Mark(end.access.state)) ++missing;
  }
  for (const Access& start : starts) search.AddStart(start.state, start.ms);
  if (missing > 0) {
    search.Run(graph, DijkstraSearch::kMaxMs, [&](StateIndex state, std::uint32_t) {
      return !search.marked(state) || --missing > 0;
    });
  }
  for (const End& end : ends) {
    // Final, because the search ended when all of these were settled or nothing more was reachable.
    const std::uint32_t ms = search.ms(end.access.state);
    if (ms == DijkstraSearch::kUnreached || ms + end.access.ms > kMaxDriveMs) continue;
    best_ms[end.index] = std::min(best_ms[end.index], ms + end.access.ms);
  }
}

}  // namespace

/// The best path found; it stays on one segment if it has no `entry`.
struct DijkstraRouter::Found {
  std::uint32_t ms = kUnreachableMs;
  std::optional<Access> entry = std::nullopt;
};

DijkstraRouter::DijkstraRouter(const TurnGraph& turns, const Snapper& snapper)
    : DijkstraRouter(turns, snapper, GraphDurations(turns.graph())) {}

DijkstraRouter::DijkstraRouter(const TurnGraph& turns, const Snapper& snapper,
                               std::vector<std::uint32_t> edge_ms)
    : Router(turns.graph(), snapper),
      turns_(turns),
      edge_ms_(std::move(edge_ms)),
      forward_(ForwardOf(timing())),
      backward_(BackwardOf(forward_)) {}

/// Leaves the labels of its search in ThreadSearch().
DijkstraRouter::Found DijkstraRouter::Solve(const SnappedPoint& from,
                                            const SnappedPoint& to) const {
  Found found{DirectMs(timing(), from, to)};
  const AccessList entries = Entries(timing(), to);
  DijkstraSearch& search = ThreadSearch();
  search.Start(turns_.state_count());
  for (const Access& exit : Exits(timing(), from)) search.AddStart(exit.state, exit.ms);
  search.Run(forward_, DijkstraSearch::kMaxMs, [&](StateIndex state, std::uint32_t ms) {
    if (ms >= found.ms) return false;
    for (const Access& entry : entries) {
      if (entry.state != state || ms + entry.ms >= found.ms) continue;
      if (ms + entry.ms <= kMaxDriveMs) found = {ms + entry.ms, entry};
    }
    return true;
  });
  return found;
}

/// The path to `state`; sets `state` to the state where the path starts.
EdgePath DijkstraRouter::PathTo(StateIndex& state) const {
  const DijkstraSearch& search = ThreadSearch();
  EdgePath path;
  while (search.arc(state) != DijkstraSearch::kNoArc) {
    const std::uint32_t arc = search.arc(state);
    path.push_back(turns_.arc(arc).edge);
    const auto next = std::upper_bound(forward_.first.begin(), forward_.first.end(), arc);
    state = static_cast<StateIndex>(next - forward_.first.begin() - 1);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

std::optional<Route> DijkstraRouter::RouteBetween(const SnappedPoint& from,
                                                  const SnappedPoint& to) const {
  const Found found = Solve(from, to);
  if (found.ms == kUnreachableMs) return std::nullopt;
  if (!found.entry) return MakeDirectRoute(timing(), from, to);
  StateIndex start = found.entry->state;
  const EdgePath path = PathTo(start);
  const AccessList exits = Exits(timing(), from);
  const std::uint32_t start_ms = ThreadSearch().ms(start);
  const auto exit = std::find_if(exits.begin(), exits.end(), [&](const Access& access) {
    return access.state == start && access.ms == start_ms;
  });
  return MakeRoute(timing(), from, *exit, path, *found.entry, to);
}

std::uint32_t DijkstraRouter::MsBetween(const SnappedPoint& from, const SnappedPoint& to) const {
  return Solve(from, to).ms;
}

std::vector<std::uint32_t> DijkstraRouter::MsTo(const SnappedPoint& to,
                                                std::span<const SnappedPoint> from) const {
  std::vector<std::uint32_t> best_ms;
  std::vector<End> ends;
  best_ms.reserve(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    best_ms.push_back(DirectMs(timing(), from[i], to));
    for (const Access& exit : Exits(timing(), from[i])) ends.push_back({exit, i});
  }
  SearchToMany(backward_, Entries(timing(), to), ends, best_ms);
  return best_ms;
}

std::vector<std::uint32_t> DijkstraRouter::MsFrom(const SnappedPoint& from,
                                                  std::span<const SnappedPoint> to) const {
  std::vector<std::uint32_t> best_ms;
  std::vector<End> ends;
  best_ms.reserve(to.size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    best_ms.push_back(DirectMs(timing(), from, to[i]));
    for (const Access& entry : Entries(timing(), to[i])) ends.push_back({entry, i});
  }
  SearchToMany(forward_, Exits(timing(), from), ends, best_ms);
  return best_ms;
}

}  // namespace ridestream::roads
