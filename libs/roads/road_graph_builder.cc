#include "libs/roads/road_graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "libs/roads/strong_components.h"
#include "libs/roads/text.h"

namespace ridestream::roads {
namespace {

constexpr NodeIndex kLeftOut = std::numeric_limits<NodeIndex>::max();

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

StrongComponents ComponentsOf(std::span<const Edge> sorted_edges, std::size_t node_count) {
  std::vector<std::uint32_t> first_out(node_count + 1);
  std::vector<std::uint32_t> heads;
  heads.reserve(sorted_edges.size());
  for (const Edge& e : sorted_edges) {
    ++first_out[e.from + 1];
    heads.push_back(e.to);
  }
  for (std::size_t node = 0; node < node_count; ++node) first_out[node + 1] += first_out[node];
  return FindStrongComponents(first_out, heads);
}

}  // namespace

void RoadGraphBuilder::AddWay(std::span<const std::int64_t> node_ids, const Tags& tags) {
  if (node_ids.size() < 2) return;
  const std::optional<StreetTraits> traits = ReadStreetTags(tags);
  if (!traits) return;
  const std::uint32_t name = NameIndex(traits->name);
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

absl::StatusOr<RoadGraph> RoadGraphBuilder::Build() && {
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
  const StrongComponents components = ComponentsOf(edges, points_.size());
  const std::uint32_t largest = components.Largest();
  std::vector<bool> used(points_.size());
  std::erase_if(edges, [&](const Edge& e) {
    const bool leave_out =
        options_.only_largest_component &&
        (components.component[e.from] != largest || components.component[e.to] != largest);
    if (!leave_out) used[e.from] = used[e.to] = true;
    return leave_out;
  });
  if (edges.empty()) {
    return absl::FailedPreconditionError(
        "the drivable streets don't hang together: from no place can one drive to another and "
        "back");
  }

  std::vector<NodeIndex> new_index(points_.size(), kLeftOut);
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
  return RoadGraph(std::move(positions), std::move(edges), std::move(names_), junction_count);
}

}  // namespace ridestream::roads
