#include "libs/roads/road_graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "libs/roads/text.h"
#include "libs/roads/turn_graph.h"

namespace ridestream::roads {
namespace {

Edge MakeEdge(NodeIndex from, NodeIndex to, double length_m, double speed_kmh, std::uint32_t name) {
  const double ms = std::round(length_m / (speed_kmh / 3.6) * 1000);
  return {
      .from = from,
      .to = to,
      .length_dm = static_cast<std::uint32_t>(std::lround(length_m * 10)),
      .duration_ms = static_cast<std::uint32_t>(std::clamp(ms, 1.0, double{Edge::kMaxDurationMs})),
      .name = name};
}

/// Sorts by (from, to) and keeps the quickest of equal ones: they are the same straight line.
void SortAndDeduplicate(std::vector<Edge>& edges) {
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return std::tie(a.from, a.to, a.duration_ms, a.name) <
           std::tie(b.from, b.to, b.duration_ms, b.name);
  });
  const auto same_line = [](const Edge& a, const Edge& b) {
    return a.from == b.from && a.to == b.to;
  };
  edges.erase(std::unique(edges.begin(), edges.end(), same_line), edges.end());
}

/// Takes the edges away that `keep` doesn't have, and the forbidden paths along them.
void KeepOnly(const std::vector<bool>& keep, std::vector<Edge>& edges,
              std::vector<EdgePath>& forbidden) {
  std::vector<EdgeIndex> new_index(edges.size());
  EdgeIndex kept = 0;
  for (EdgeIndex i = 0; i < edges.size(); ++i) {
    new_index[i] = kept;
    if (keep[i]) edges[kept++] = edges[i];
  }
  edges.resize(kept);
  std::erase_if(forbidden, [&](const EdgePath& path) {
    return std::any_of(path.begin(), path.end(), [&](EdgeIndex i) { return !keep[i]; });
  });
  for (EdgePath& path : forbidden) {
    for (EdgeIndex& i : path) i = new_index[i];
  }
}

}  // namespace

void RoadGraphBuilder::AddWay(std::int64_t way_id, std::span<const std::int64_t> node_ids,
                              const Tags& tags) {
  if (node_ids.size() < 2) return;
  const std::optional<StreetTraits> traits = ReadStreetTags(tags);
  if (!traits) return;
  const std::uint32_t name = NameIndex(traits->name);
  ways_.push_back({way_id, segments_.size()});
  NodeIndex previous = UsePoint(node_ids.front(), 2);
  for (std::size_t i = 1; i < node_ids.size(); ++i) {
    const NodeIndex next = UsePoint(node_ids[i], i + 1 == node_ids.size() ? 2 : 1);
    if (next != previous) {
      segments_.push_back({previous, next, static_cast<float>(traits->forward_kmh),
                           static_cast<float>(traits->backward_kmh), name});
    }
    previous = next;
  }
}

void RoadGraphBuilder::SetPosition(std::int64_t node_id, LatLng position) {
  const auto it = index_of_.find(node_id);
  if (it == index_of_.end() || !position.IsValid()) return;
  points_[it->second].position = position;
  points_[it->second].has_position = true;
}

NodeIndex RoadGraphBuilder::UsePoint(std::int64_t node_id, std::uint8_t uses) {
  const auto [it, is_new] = index_of_.try_emplace(node_id, static_cast<NodeIndex>(points_.size()));
  if (is_new) points_.emplace_back();
  Point& point = points_[it->second];
  point.uses = static_cast<std::uint8_t>(std::min(2, point.uses + uses));
  return it->second;
}

std::uint32_t RoadGraphBuilder::NameIndex(std::string_view name) {
  const auto [it, is_new] =
      name_index_.try_emplace(std::string(name), static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.emplace_back(name);
  return it->second;
}

std::vector<Edge> RoadGraphBuilder::MakeEdges() const {
  std::vector<Edge> edges;
  edges.reserve(2 * segments_.size());
  for (const Segment& s : segments_) {
    const Point& a = points_[s.from];
    const Point& b = points_[s.to];
    if (!a.has_position || !b.has_position) continue;
    const double length_m = DistanceM(a.position, b.position);
    if (s.forward_kmh > 0) edges.push_back(MakeEdge(s.from, s.to, length_m, s.forward_kmh, s.name));
    if (s.backward_kmh > 0) {
      edges.push_back(MakeEdge(s.to, s.from, length_m, s.backward_kmh, s.name));
    }
  }
  SortAndDeduplicate(edges);
  return edges;
}

void RoadGraphBuilder::AddRelation(std::span<const RelationMember> members, const Tags& tags) {
  auto restriction = ReadTurnRestriction(members, tags, restriction_counts_);
  if (restriction) restrictions_.push_back(*std::move(restriction));
}

/// `edges` lead between points; `new_index` becomes the points' numbers in the graph.
RoadGraph RoadGraphBuilder::MakeGraph(std::vector<Edge> edges, std::vector<EdgePath> forbidden,
                                      std::vector<NodeIndex>& new_index) const {
  std::vector<bool> used(points_.size());
  for (const Edge& e : edges) used[e.from] = used[e.to] = true;
  new_index.assign(points_.size(), kNoNode);
  std::vector<LatLng> positions;
  std::size_t junction_count = 0;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (!used[i]) continue;
    new_index[i] = static_cast<NodeIndex>(positions.size());
    positions.push_back(points_[i].position);
    if (points_[i].uses >= 2) ++junction_count;
  }
  for (Edge& e : edges) {  // the new numbers ascend with the old ones, so they stay sorted
    e.from = new_index[e.from];
    e.to = new_index[e.to];
  }
  return RoadGraph(std::move(positions), std::move(edges), names_, junction_count,
                   std::move(forbidden));
}

/// Of the ways that restrictions name.
WayCourses RoadGraphBuilder::FindCourses(std::span<const NodeIndex> new_index) const {
  WayCourses courses;
  for (const TurnRestriction& restriction : restrictions_) {
    for (const auto* ids : {&restriction.from, &restriction.via_ways, &restriction.to}) {
      for (const std::int64_t id : *ids) courses[id];
    }
  }
  for (std::size_t i = 0; i < ways_.size(); ++i) {
    const auto it = courses.find(ways_[i].id);
    const std::size_t first = ways_[i].first_segment;
    const std::size_t end = i + 1 < ways_.size() ? ways_[i + 1].first_segment : segments_.size();
    if (it == courses.end() || first == end) continue;
    it->second = {new_index[segments_[first].from]};
    for (std::size_t s = first; s < end; ++s) it->second.push_back(new_index[segments_[s].to]);
  }
  absl::erase_if(courses, [](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(),
                       [](NodeIndex node) { return node == kNoNode; });
  });
  return courses;
}

std::vector<EdgePath> RoadGraphBuilder::FindForbidden(const std::vector<Edge>& edges) {
  if (restrictions_.empty()) return {};
  std::vector<NodeIndex> new_index;
  const RoadGraph graph = MakeGraph(edges, {}, new_index);
  std::vector<PlacedRestriction> placed;
  for (const TurnRestriction& restriction : restrictions_) {
    placed.push_back({restriction, std::nullopt});
    const auto it = index_of_.find(restriction.via_node);
    if (!restriction.via_ways.empty() || it == index_of_.end()) continue;
    if (new_index[it->second] != kNoNode) placed.back().via_node = new_index[it->second];
  }
  return FindForbiddenPaths(graph, FindCourses(new_index), placed, restriction_counts_);
}

absl::StatusOr<RoadGraph> RoadGraphBuilder::Build(RestrictionCounts* counts) && {
  if (segments_.empty()) {
    return absl::FailedPreconditionError(
        "there is no drivable street (no way with such a highway tag)");
  }
  if (2 * segments_.size() > std::numeric_limits<EdgeIndex>::max()) {
    return absl::FailedPreconditionError(
        "the map is too large: cut an extract of one city from it");
  }
  std::vector<Edge> edges = MakeEdges();
  if (edges.empty()) {
    return absl::FailedPreconditionError(
        fmt::format("there are {} segments of drivable streets, but the positions of their points "
                    "are missing: is the extract cut off?",
                    Grouped(static_cast<long long>(segments_.size()))));
  }
  std::vector<EdgePath> forbidden = FindForbidden(edges);
  if (counts != nullptr) *counts = restriction_counts_;
  // Leaving out streets takes ways of turning round away, so once may not be enough.
  for (std::vector<NodeIndex> new_index;;) {
    RoadGraph graph = MakeGraph(edges, forbidden, new_index);
    if (!options_.only_largest_component) return graph;
    const std::vector<bool> keep = EdgesOfLargestComponent(TurnGraph(graph));
    if (std::find(keep.begin(), keep.end(), false) == keep.end()) return graph;
    KeepOnly(keep, edges, forbidden);
    if (edges.empty()) {
      return absl::FailedPreconditionError(
          "the drivable streets don't hang together: from no place can one drive to another and "
          "back");
    }
  }
}

}  // namespace ridestream::roads
