#include "libs/roads/learning/speed_learner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace ridestream::roads {
namespace {

constexpr std::uint32_t kHours = 24;
/// The amount of driving that is remembered, in seconds by the map's speed.
constexpr float kMemoryS = 600;
/// The amount of driving at the map's speed that is assumed at first, in the same unit.
constexpr double kAssumedS = 30;

std::uint64_t PlaceKey(LatLng place) {
  return std::uint64_t{static_cast<std::uint32_t>(place.lat_e7)} << 32 |
         static_cast<std::uint32_t>(place.lng_e7);
}

std::uint32_t HourOfDay(Time at) {
  const auto hours =
      std::chrono::floor<std::chrono::hours>(at) - std::chrono::floor<std::chrono::days>(at);
  return static_cast<std::uint32_t>(hours.count());
}

/// Disjoint sets of edges (union by index, with path halving).
class EdgeSets {
 public:
  explicit EdgeSets(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), EdgeIndex{0});
  }
  EdgeIndex Find(EdgeIndex edge) {
    while (parent_[edge] != edge) edge = parent_[edge] = parent_[parent_[edge]];
    return edge;
  }
  void Join(EdgeIndex a, EdgeIndex b) { parent_[Find(a)] = Find(b); }

 private:
  std::vector<EdgeIndex> parent_;
};

/// The two neighbours of a node that only gives a street its shape; nullopt for other nodes.
std::optional<std::pair<NodeIndex, NodeIndex>> EndsAround(const RoadGraph& graph, NodeIndex node) {
  NodeIndex ends[2] = {node, node};
  std::size_t count = 0;
  const auto meet = [&](NodeIndex other) {
    if (std::find(ends, ends + std::min<std::size_t>(count, 2), other) !=
        ends + std::min<std::size_t>(count, 2)) {
      return;
    }
    if (count < 2) ends[count] = other;
    ++count;
  };
  for (const Edge& edge : graph.OutEdges(node)) meet(edge.to);
  for (const EdgeIndex edge : graph.InEdges(node)) meet(graph.edge(edge).from);
  if (count != 2) return std::nullopt;
  return std::pair(ends[0], ends[1]);
}

/// Numbers the streets between junctions, and returns the street of each edge.
std::vector<std::uint32_t> FindStreets(const RoadGraph& graph, std::size_t& count) {
  EdgeSets sets(graph.edge_count());
  for (NodeIndex node = 0; node < graph.node_count(); ++node) {
    const auto ends = EndsAround(graph, node);
    if (!ends) continue;
    const auto [a, b] = *ends;
    for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
      const auto in = graph.FindEdge(from, node);
      const auto out = graph.FindEdge(node, to);
      if (in && out) sets.Join(*in, *out);
    }
  }
  std::vector<std::uint32_t> street_of(graph.edge_count());
  count = 0;
  for (EdgeIndex edge = 0; edge < graph.edge_count(); ++edge) {
    if (sets.Find(edge) == edge) street_of[edge] = static_cast<std::uint32_t>(count++);
  }
  for (EdgeIndex edge = 0; edge < graph.edge_count(); ++edge) {
    street_of[edge] = street_of[sets.Find(edge)];
  }
  return street_of;
}

}  // namespace

SpeedLearner::SpeedLearner(const RoadGraph& graph) : graph_(graph) {
  nodes_.reserve(graph.node_count());
  for (NodeIndex node = 0; node < graph.node_count(); ++node) {
    nodes_.emplace_back(PlaceKey(graph.position(node)), node);
  }
  std::sort(nodes_.begin(), nodes_.end());
  std::size_t streets = 0;
  street_of_ = FindStreets(graph, streets);
  published_.assign(streets, 1);
}

std::optional<EdgeIndex> SpeedLearner::FindEdge(LatLng from, LatLng to) const {
  const auto nodes_at = [&](LatLng place) {
    const std::uint64_t key = PlaceKey(place);
    const auto first = std::lower_bound(nodes_.begin(), nodes_.end(), std::pair(key, NodeIndex{0}));
    auto last = first;
    while (last != nodes_.end() && last->first == key) ++last;
    return std::span(first, last);
  };
  for (const auto& [from_key, a] : nodes_at(from)) {
    for (const auto& [to_key, b] : nodes_at(to)) {
      if (const auto edge = graph_.FindEdge(a, b)) return edge;
    }
  }
  return std::nullopt;
}

std::uint64_t SpeedLearner::Key(std::uint32_t street, std::uint32_t hour) {
  return std::uint64_t{street} * kHours + hour;
}

bool SpeedLearner::Observe(LatLng from, LatLng to, Duration took, Time at) {
  const auto edge = FindEdge(from, to);
  if (!edge) return false;
  const double by_map_s = graph_.edge(*edge).duration_ms / 1e3;
  const double took_s = std::chrono::duration<double>(took).count();
  if (took_s < kFastest * by_map_s || took_s > kSlowest * by_map_s) return false;
  Driven& driven = driven_[Key(street_of_[*edge], HourOfDay(at))];
  driven.took += static_cast<float>(took_s);
  driven.by_map += static_cast<float>(by_map_s);
  if (driven.by_map > kMemoryS) {
    driven.took *= kMemoryS / driven.by_map;
    driven.by_map = kMemoryS;
  }
  return true;
}

double SpeedLearner::FactorOf(std::uint32_t street, std::uint32_t hour) const {
  const auto found = driven_.find(Key(street, hour));
  if (found == driven_.end()) return 1;
  return (found->second.took + kAssumedS) / (found->second.by_map + kAssumedS);
}

std::optional<std::vector<std::uint32_t>> SpeedLearner::Update(Time now) {
  const std::uint32_t hour = HourOfDay(now);
  bool changed = false;
  for (std::uint32_t street = 0; street < published_.size(); ++street) {
    const double factor = FactorOf(street, hour);
    if (std::abs(factor - published_[street]) <= kNoticeable * published_[street]) continue;
    published_[street] = static_cast<float>(factor);
    changed = true;
  }
  if (!changed) return std::nullopt;
  std::vector<std::uint32_t> edge_ms;
  edge_ms.reserve(graph_.edge_count());
  for (EdgeIndex edge = 0; edge < graph_.edge_count(); ++edge) {
    const double ms = graph_.edge(edge).duration_ms * double{published_[street_of_[edge]]};
    edge_ms.push_back(
        static_cast<std::uint32_t>(std::clamp(std::round(ms), 1.0, double{Edge::kMaxDurationMs})));
  }
  return edge_ms;
}

std::size_t SpeedLearner::changed_streets() const {
  return static_cast<std::size_t>(
      std::count_if(published_.begin(), published_.end(), [](float f) { return f != 1; }));
}

}  // namespace ridestream::roads
