#include "libs/roads/map/road_graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/text.h"
#include "libs/roads/graph/turn_graph.h"
#include "libs/roads/map/access_tags.h"

namespace ridestream::roads {
namespace {

Edge MakeEdge(NodeIndex from, NodeIndex to, double length_m, double speed_kmh, std::uint32_t name,
              bool may_stop, bool is_destination_only) {
  const double ms = std::round(length_m / (speed_kmh / 3.6) * 1000);
  return {
      .from = from,
      .to = to,
      .length_dm = static_cast<std::uint32_t>(std::lround(length_m * 10)),
      .duration_ms = static_cast<std::uint32_t>(std::clamp(ms, 1.0, double{Edge::kMaxDurationMs})),
      .name = name,
      .may_stop = may_stop,
      .is_destination_only = is_destination_only};
}

/// Sorts by (from, to). Of equal edges, which are the same straight line, keeps the quickest one
/// that is open to all.
void SortAndDeduplicate(std::vector<Edge>& edges) {
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return std::tie(a.from, a.to, a.is_destination_only, a.duration_ms, a.name) <
           std::tie(b.from, b.to, b.is_destination_only, b.duration_ms, b.name);
  });
  const auto same_line = [](const Edge& a, const Edge& b) {
    return a.from == b.from && a.to == b.to;
  };
  edges.erase(std::unique(edges.begin(), edges.end(), same_line), edges.end());
}

/// Removes the edges that `keep` excludes, and the forbidden paths along them.
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

/// Marks each edge that is a destination-only street and is joined by such streets, in any
/// direction, to one of `nodes`.
std::vector<bool> DestinationStreetsAt(const RoadGraph& graph, std::vector<bool> nodes) {
  std::vector<bool> found(graph.edge_count());
  for (bool grows = true; grows;) {
    grows = false;
    for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
      const Edge& edge = graph.edge(i);
      if (found[i] || !edge.is_destination_only || !(nodes[edge.from] || nodes[edge.to])) continue;
      found[i] = nodes[edge.from] = nodes[edge.to] = true;
      grows = true;
    }
  }
  return found;
}

void AppendCount(std::uint32_t count, std::string_view what, std::string& list) {
  if (count == 0) return;
  list += fmt::format("{}{} {}", list.empty() ? "left out: " : ", ", Grouped(count), what);
}

}  // namespace

std::string Describe(const LeftOut& left_out) {
  std::string list;
  AppendCount(left_out.unconnected_segments, "segments that are not connected to the others", list);
  AppendCount(left_out.closed_barriers, "streets at closed barriers", list);
  AppendCount(left_out.tags.ferries, "ferries not known to take cars", list);
  AppendCount(left_out.tags.unknown_highways, "ways of unknown kinds", list);
  AppendCount(left_out.tags.conditional, "rules that hold at some times", list);
  AppendCount(left_out.tags.unknown_values, "values that aren't understood", list);
  return list;
}

void RoadGraphBuilder::AddWay(std::int64_t way_id, std::span<const std::int64_t> node_ids,
                              const Tags& tags) {
  if (node_ids.size() < 2) return;
  const std::optional<StreetTraits> traits = ReadStreetTags(tags, left_out_.tags);
  if (!traits) return;
  const std::uint32_t name = NameIndex(traits->name);
  if (traits->crossing_s > 0) crossings_.push_back({ways_.size(), traits->crossing_s});
  ways_.push_back({way_id, segments_.size()});
  NodeIndex previous = UsePoint(node_ids.front(), 2);
  for (std::size_t i = 1; i < node_ids.size(); ++i) {
    const NodeIndex next = UsePoint(node_ids[i], i + 1 == node_ids.size() ? 2 : 1);
    if (next != previous) {
      segments_.push_back({previous, next, static_cast<float>(traits->forward_kmh),
                           static_cast<float>(traits->backward_kmh), name,
                           traits->forward_is_destination_only,
                           traits->backward_is_destination_only, traits->may_stop});
    }
    previous = next;
  }
}

void RoadGraphBuilder::SetNodeTags(std::int64_t node_id, const Tags& tags) {
  const auto it = index_of_.find(node_id);
  if (it == index_of_.end() || MayPassNode(tags, left_out_.tags)) return;
  points_[it->second].is_closed = true;
}

/// Merges two points at the same place on the antimeridian, and normalizes its longitude.
void RoadGraphBuilder::JoinAcrossAntimeridian() {
  constexpr std::int32_t kAntimeridianE7 = 1'800'000'000;
  constexpr double kSamePlaceM = 1;
  std::vector<NodeIndex> on_it;
  for (NodeIndex i = 0; i < points_.size(); ++i) {
    const bool is_on_it = std::abs(points_[i].position.lng_e7) == kAntimeridianE7;
    if (points_[i].has_position && is_on_it) on_it.push_back(i);
  }
  const auto place = [&](NodeIndex point) { return points_[point].position; };
  std::sort(on_it.begin(), on_it.end(), [&](NodeIndex a, NodeIndex b) {
    return std::tuple(place(a).lat_e7, a) < std::tuple(place(b).lat_e7, b);
  });
  absl::flat_hash_map<NodeIndex, NodeIndex> joined;
  for (std::size_t i = 0; i + 1 < on_it.size(); ++i) {
    const NodeIndex a = on_it[i], b = on_it[i + 1];
    if (place(a).lng_e7 == place(b).lng_e7 || DistanceM(place(a), place(b)) > kSamePlaceM) continue;
    joined[b] = a;
    points_[a].is_closed |= points_[b].is_closed;
    points_[a].uses = 2;
    ++i;
  }
  for (const NodeIndex point : on_it) points_[point].position.lng_e7 = -kAntimeridianE7;
  if (joined.empty()) return;
  const auto join = [&](NodeIndex& point) {
    if (const auto it = joined.find(point); it != joined.end()) point = it->second;
  };
  for (Segment& segment : segments_) {
    join(segment.from);
    join(segment.to);
  }
  for (auto& [id, point] : index_of_) join(point);
}

/// Gives each segment its own end at a closed point.
void RoadGraphBuilder::EndStreetsAtBarriers() {
  const std::size_t point_count = points_.size();
  for (std::size_t i = 0; i < point_count; ++i) {
    if (points_[i].is_closed) ++left_out_.closed_barriers;
  }
  if (left_out_.closed_barriers == 0) return;
  const auto end_of_its_own = [&](NodeIndex point) {
    if (!points_[point].is_closed) return point;
    points_.push_back(points_[point]);
    points_.back().uses = 2;  // A street's end.
    return static_cast<NodeIndex>(points_.size() - 1);
  };
  for (Segment& segment : segments_) {
    segment.from = end_of_its_own(segment.from);
    segment.to = end_of_its_own(segment.to);
  }
}

/// Sets the speed of each ferry whose duration is known.
void RoadGraphBuilder::TimeCrossings() {
  for (const Crossing& crossing : crossings_) {
    const std::size_t first = ways_[crossing.way].first_segment;
    const std::size_t end =
        crossing.way + 1 < ways_.size() ? ways_[crossing.way + 1].first_segment : segments_.size();
    double length_m = 0;
    for (std::size_t s = first; s < end; ++s) {
      length_m += DistanceM(points_[segments_[s].from].position, points_[segments_[s].to].position);
    }
    const auto kmh = static_cast<float>(std::max(0.1, length_m / crossing.seconds * 3.6));
    for (std::size_t s = first; s < end; ++s) {
      if (segments_[s].forward_kmh > 0) segments_[s].forward_kmh = kmh;
      if (segments_[s].backward_kmh > 0) segments_[s].backward_kmh = kmh;
    }
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
    if (!a.has_position || !b.has_position || s.from == s.to) continue;
    const double length_m = DistanceM(a.position, b.position);
    if (s.forward_kmh > 0) {
      edges.push_back(MakeEdge(s.from, s.to, length_m, s.forward_kmh, s.name, s.may_stop,
                               s.forward_is_destination_only));
    }
    if (s.backward_kmh > 0) {
      edges.push_back(MakeEdge(s.to, s.from, length_m, s.backward_kmh, s.name, s.may_stop,
                               s.backward_is_destination_only));
    }
  }
  SortAndDeduplicate(edges);
  return edges;
}

void RoadGraphBuilder::AddRelation(std::span<const RelationMember> members, const Tags& tags) {
  auto restriction = ReadTurnRestriction(members, tags, restriction_counts_);
  if (restriction) restrictions_.push_back(*std::move(restriction));
}

/// `edges` lead between points. Sets `new_index` to the points' numbers in the graph.
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

/// The courses of the ways that restrictions name.
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
    for (std::size_t s = first; s < end; ++s) {
      if (segments_[s].from != segments_[s].to) it->second.push_back(new_index[segments_[s].to]);
    }
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

absl::StatusOr<RoadGraph> RoadGraphBuilder::Build(RestrictionCounts* counts, LeftOut* left_out) && {
  if (segments_.empty()) {
    return absl::FailedPreconditionError(
        "there is no drivable street (no way with such a highway tag)");
  }
  if (2 * segments_.size() > std::numeric_limits<EdgeIndex>::max()) {
    return absl::FailedPreconditionError(
        "the map is too large: cut an extract of one city from it");
  }
  JoinAcrossAntimeridian();
  EndStreetsAtBarriers();
  TimeCrossings();
  std::vector<Edge> edges = MakeEdges();
  if (edges.empty()) {
    return absl::FailedPreconditionError(
        fmt::format("there are {} segments of drivable streets, but the positions of their points "
                    "are missing: is the extract cut off?",
                    Grouped(static_cast<long long>(segments_.size()))));
  }
  std::vector<EdgePath> forbidden = FindForbidden(edges);
  if (counts != nullptr) *counts = restriction_counts_;
  if (options_.only_largest_component) {
    absl::Status status = KeepLargestComponent(edges, forbidden);
    if (!status.ok()) return status;
  }
  if (left_out != nullptr) *left_out = left_out_;
  std::vector<NodeIndex> new_index;
  return MakeGraph(std::move(edges), std::move(forbidden), new_index);
}

/// Removes the edges outside of the largest component, and the forbidden paths along them.
absl::Status RoadGraphBuilder::KeepLargestComponent(std::vector<Edge>& edges,
                                                    std::vector<EdgePath>& forbidden) {
  // Removing streets removes ways of turning round, so one pass may not be enough.
  const std::size_t all = edges.size();
  for (std::vector<NodeIndex> new_index;;) {
    const RoadGraph graph = MakeGraph(edges, forbidden, new_index);
    const std::vector<bool> keep =
        EdgesOfLargestComponent(TurnGraph(graph, DestinationRule::kIgnored));
    if (std::find(keep.begin(), keep.end(), false) == keep.end()) break;
    KeepOnly(keep, edges, forbidden);
    if (edges.empty()) {
      return absl::FailedPreconditionError(
          "the drivable streets aren't connected: no place can be reached from another one and "
          "back");
    }
  }
  left_out_.unconnected_segments = static_cast<std::uint32_t>(all - edges.size());
  OpenOnlyWays(edges, forbidden);
  return absl::OkStatus();
}

/// Opens destination-only streets that are the only way to streets that are open to all.
void RoadGraphBuilder::OpenOnlyWays(std::vector<Edge>& edges,
                                    const std::vector<EdgePath>& forbidden) {
  const auto is_destination_only = [](const Edge& e) { return e.is_destination_only; };
  while (std::any_of(edges.begin(), edges.end(), is_destination_only)) {
    std::vector<NodeIndex> new_index;
    const RoadGraph graph = MakeGraph(edges, forbidden, new_index);
    const std::vector<bool> joined =
        EdgesOfLargestComponent(TurnGraph(graph, DestinationRule::kObeyed));
    // Nodes where streets begin that are open to all but can't be reached from the rest, or can't
    // be left.
    std::vector<bool> cut_off(graph.node_count());
    bool all_joined = true;
    for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
      const Edge& edge = graph.edge(i);
      if (edge.is_destination_only || joined[i]) continue;
      cut_off[edge.from] = cut_off[edge.to] = true;
      all_joined = false;
    }
    if (all_joined) return;
    std::uint32_t opened = 0;
    const std::vector<bool> zone = DestinationStreetsAt(graph, cut_off);
    for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
      if (!zone[i]) continue;
      edges[i].is_destination_only = false;
      ++opened;
    }
    left_out_.opened_destination_segments += opened;
    // Streets that only a turn restriction disconnects have no such street beside them.
    if (opened == 0) return;
  }
}

}  // namespace ridestream::roads
