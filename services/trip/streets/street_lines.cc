#include "services/trip/streets/street_lines.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

namespace ridestream::trip {
namespace {

using market::v1::GetStreetsResponse;
using market::v1::Street;
using roads::Edge;
using roads::EdgeIndex;
using roads::NodeIndex;
using roads::RoadGraph;

double SpeedKmh(std::uint64_t length_dm, std::uint64_t duration_ms) {
  return static_cast<double>(length_dm) * 360 / static_cast<double>(duration_ms);
}

/// Finds the lines one after the other; each takes the pieces that it consists of.
class LineTracer {
 public:
  explicit LineTracer(const RoadGraph& graph) : graph_(graph), taken_(graph.edge_count()) {}

  bool IsTaken(EdgeIndex edge) const { return taken_[edge]; }

  /// The longest line through `seed`, which isn't taken.
  Street Trace(EdgeIndex seed) {
    Take(seed);
    const std::vector<EdgeIndex> ahead = Extend(seed, /*forward=*/true);
    std::vector<EdgeIndex> edges = Extend(seed, /*forward=*/false);
    std::reverse(edges.begin(), edges.end());
    edges.push_back(seed);
    edges.insert(edges.end(), ahead.begin(), ahead.end());
    return MakeStreet(edges);
  }

 private:
  /// Lines don't turn by more than this, so that they look like streets.
  static constexpr double kMinCosine = 0.6;

  void Take(EdgeIndex edge) {
    taken_[edge] = true;
    if (const auto opposite = graph_.Opposite(edge)) taken_[*opposite] = true;
  }

  /// Takes all that goes on from `edge`, in the order of walking away from it.
  std::vector<EdgeIndex> Extend(EdgeIndex edge, bool forward) {
    std::vector<EdgeIndex> more;
    std::optional<EdgeIndex> next = Straightest(edge, forward);
    while (next) {
      Take(*next);
      more.push_back(*next);
      next = Straightest(*next, forward);
    }
    return more;
  }

  std::optional<EdgeIndex> Straightest(EdgeIndex edge, bool forward) const {
    std::optional<EdgeIndex> best;
    double best_cosine = kMinCosine;
    const auto consider = [&](EdgeIndex next) {
      if (taken_[next] || !GoTogether(edge, next)) return;
      const double cosine = Cosine(graph_.edge(edge), graph_.edge(next));
      if (cosine <= best_cosine) return;
      best = next;
      best_cosine = cosine;
    };
    if (forward) {
      const NodeIndex node = graph_.edge(edge).to;
      for (size_t i = 0; i < graph_.OutEdges(node).size(); ++i) {
        consider(graph_.FirstOut(node) + static_cast<EdgeIndex>(i));
      }
    } else {
      for (const EdgeIndex next : graph_.InEdges(graph_.edge(edge).from)) consider(next);
    }
    return best;
  }

  bool GoTogether(EdgeIndex a, EdgeIndex b) const {
    return graph_.edge(a).name == graph_.edge(b).name &&
           graph_.Opposite(a).has_value() == graph_.Opposite(b).has_value() &&
           SpeedClass(graph_.edge(a)) == SpeedClass(graph_.edge(b));
  }

  /// Speeds of short pieces are inexact, since lengths and times are whole numbers.
  static int SpeedClass(const Edge& edge) {
    const double kmh = SpeedKmh(edge.length_dm, edge.duration_ms);
    return kmh < 42 ? 0 : kmh < 65 ? 1 : 2;
  }

  /// Cosine of the angle between the directions of two edges; 0 where one has no length.
  double Cosine(const Edge& a, const Edge& b) const {
    const auto [ax, ay] = Direction(a);
    const auto [bx, by] = Direction(b);
    const double lengths = std::hypot(ax, ay) * std::hypot(bx, by);
    return lengths > 0 ? (ax * bx + ay * by) / lengths : 0;
  }

  std::pair<double, double> Direction(const Edge& edge) const {
    const LatLng from = graph_.position(edge.from);
    const LatLng to = graph_.position(edge.to);
    return {EastE7(from, to) / 1e7 * std::cos(from.lat() * std::numbers::pi / 180),
            to.lat() - from.lat()};
  }

  Street MakeStreet(const std::vector<EdgeIndex>& edges) const {
    Street street;
    street.set_name(graph_.name(edges.front()));
    street.set_one_way(!graph_.Opposite(edges.front()));
    LatLng before{};
    const auto add = [&street, &before](LatLng place) {
      street.add_lat_e7(place.lat_e7 - before.lat_e7);
      street.add_lng_e7(EastE7(before, place));
      before = place;
    };
    add(graph_.position(graph_.edge(edges.front()).from));
    std::uint64_t length_dm = 0;
    std::uint64_t duration_ms = 0;
    for (const EdgeIndex index : edges) {
      const Edge& edge = graph_.edge(index);
      add(graph_.position(edge.to));
      length_dm += edge.length_dm;
      duration_ms += edge.duration_ms;
    }
    street.set_speed_kmh(static_cast<std::uint32_t>(std::lround(SpeedKmh(length_dm, duration_ms))));
    return street;
  }

  const RoadGraph& graph_;
  std::vector<bool> taken_;
};

}  // namespace

std::vector<Street> MakeStreetLines(const RoadGraph& graph) {
  std::vector<Street> streets;
  LineTracer tracer(graph);
  for (EdgeIndex edge = 0; edge < graph.edge_count(); ++edge) {
    if (!tracer.IsTaken(edge)) streets.push_back(tracer.Trace(edge));
  }
  return streets;
}

std::vector<GetStreetsResponse> PackStreets(std::vector<Street> streets, size_t max_bytes) {
  std::vector<GetStreetsResponse> messages;
  size_t bytes = max_bytes;
  for (Street& street : streets) {
    const size_t size = street.ByteSizeLong() + 4;  // Its tag and length.
    if (messages.empty() || bytes + size > max_bytes) {
      messages.emplace_back();
      bytes = 0;
    }
    bytes += size;
    *messages.back().add_streets() = std::move(street);
  }
  return messages;
}

}  // namespace ridestream::trip
