#include "libs/roads/route.h"

#include <cmath>

namespace ridestream::roads {
namespace {

std::uint32_t PartMs(const Edge& edge, double part) {
  return static_cast<std::uint32_t>(std::llround(part * edge.duration_ms));
}

double PartDm(const Edge& edge, double part) { return part * edge.length_dm; }

/// The stretch between two places of one segment: in which direction, and how much of it.
struct Direct {
  EdgeIndex edge;
  double part;
};

std::optional<Direct> FindDirect(const RoadGraph& graph, const SnappedPoint& from,
                                 const SnappedPoint& to) {
  const std::optional<EdgeIndex> opposite = graph.Opposite(from.edge);
  if (to.edge != from.edge && to.edge != opposite) return std::nullopt;
  const double to_fraction = to.edge == from.edge ? to.fraction : 1 - to.fraction;
  if (to_fraction >= from.fraction) return Direct{from.edge, to_fraction - from.fraction};
  if (!opposite) return std::nullopt;
  return Direct{*opposite, from.fraction - to_fraction};
}

class RouteMaker {
 public:
  explicit RouteMaker(LatLng start) { route_.points.push_back(start); }

  void Append(LatLng point, std::uint32_t ms, double length_dm) {
    // At a node, the piece between it and the place on its street is nothing.
    if (ms == 0 && point == route_.points.back()) return;
    route_.points.push_back(point);
    route_.leg_ms.push_back(ms);
    route_.duration += std::chrono::milliseconds(ms);
    length_dm_ += length_dm;
  }

  Route Finish() && {
    route_.length_m = length_dm_ / 10;
    return std::move(route_);
  }

 private:
  Route route_;
  double length_dm_ = 0;
};

}  // namespace

AccessList Exits(const RoadGraph& graph, const SnappedPoint& place) {
  const Edge& edge = graph.edge(place.edge);
  AccessList exits{{edge.to, PartMs(edge, 1 - place.fraction), PartDm(edge, 1 - place.fraction)}};
  if (const auto opposite = graph.Opposite(place.edge)) {
    const Edge& back = graph.edge(*opposite);
    exits.push_back({back.to, PartMs(back, place.fraction), PartDm(back, place.fraction)});
  } else if (place.fraction == 0) {
    exits.push_back({edge.from, 0, 0});
  }
  return exits;
}

AccessList Entries(const RoadGraph& graph, const SnappedPoint& place) {
  const Edge& edge = graph.edge(place.edge);
  AccessList entries{{edge.from, PartMs(edge, place.fraction), PartDm(edge, place.fraction)}};
  if (const auto opposite = graph.Opposite(place.edge)) {
    const Edge& back = graph.edge(*opposite);
    entries.push_back(
        {back.from, PartMs(back, 1 - place.fraction), PartDm(back, 1 - place.fraction)});
  } else if (place.fraction == 1) {
    entries.push_back({edge.to, 0, 0});
  }
  return entries;
}

std::optional<std::uint32_t> DirectMs(const RoadGraph& graph, const SnappedPoint& from,
                                      const SnappedPoint& to) {
  const std::optional<Direct> direct = FindDirect(graph, from, to);
  if (!direct) return std::nullopt;
  return PartMs(graph.edge(direct->edge), direct->part);
}

Route MakeDirectRoute(const RoadGraph& graph, const SnappedPoint& from, const SnappedPoint& to) {
  const Direct direct = *FindDirect(graph, from, to);
  const Edge& edge = graph.edge(direct.edge);
  RouteMaker maker(from.point);
  maker.Append(to.point, PartMs(edge, direct.part), PartDm(edge, direct.part));
  return std::move(maker).Finish();
}

Route MakeRoute(const RoadGraph& graph, const SnappedPoint& from, const Access& exit,
                std::span<const EdgeIndex> path, const Access& entry, const SnappedPoint& to) {
  RouteMaker maker(from.point);
  maker.Append(graph.position(exit.node), exit.ms, exit.length_dm);
  for (const EdgeIndex i : path) {
    const Edge& edge = graph.edge(i);
    maker.Append(graph.position(edge.to), edge.duration_ms, edge.length_dm);
  }
  maker.Append(to.point, entry.ms, entry.length_dm);
  return std::move(maker).Finish();
}

}  // namespace ridestream::roads
