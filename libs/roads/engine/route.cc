#include "libs/roads/engine/route.h"

#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

namespace ridestream::roads {
namespace {

/// A part of one edge.
struct Piece {
  EdgeIndex edge;
  double part;  // The share of the edge, 0 to 1.
};

std::uint32_t MsOf(const Timing& timing, Piece piece) {
  return static_cast<std::uint32_t>(std::llround(piece.part * timing.edge_ms[piece.edge]));
}

double LengthDm(const Timing& timing, Piece piece) {
  return piece.part * timing.graph().edge(piece.edge).length_dm;
}

bool IsOpen(const Timing& timing, EdgeIndex edge) { return timing.edge_ms[edge] != kClosedMs; }

/// The stretch between two places of one segment: its direction, and its share of the edge.
std::optional<Piece> FindDirect(const Timing& timing, const SnappedPoint& from,
                                const SnappedPoint& to) {
  const bool same = to.edge == from.edge;
  if (!same && timing.graph().Opposite(from.edge) != to.edge) return std::nullopt;
  const double to_fraction = same ? to.fraction : 1 - to.fraction;
  const double ahead = to_fraction - from.fraction;
  if (ahead == 0 || (ahead > 0 && IsOpen(timing, from.edge))) return Piece{from.edge, ahead};
  const auto opposite = timing.graph().Opposite(from.edge);
  if (from.under_way || ahead > 0 || !opposite || !IsOpen(timing, *opposite)) return std::nullopt;
  return Piece{*opposite, -ahead};
}

class RouteMaker {
 public:
  explicit RouteMaker(LatLng start) { route_.points.push_back(start); }

  void Append(LatLng point, std::uint32_t ms, double length_dm) {
    // At a node, the piece between the node and the place on its street has no length.
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

AccessList Exits(const Timing& timing, const SnappedPoint& place) {
  const auto opposite = timing.graph().Opposite(place.edge);
  AccessList exits;
  const auto add = [&](Piece piece) {
    if (!IsOpen(timing, piece.edge)) return;
    exits.push_back({timing.turns.After(piece.edge), MsOf(timing, piece), piece.edge, piece.part});
  };
  add({place.edge, 1 - place.fraction});
  if (opposite && !place.under_way) add({*opposite, place.fraction});
  if (opposite || place.under_way || place.fraction != 0) return exits;
  const NodeIndex start = timing.graph().edge(place.edge).from;
  if (!timing.turns.IsRestricted(start)) {
    exits.push_back({start, 0, place.edge, 0});
  }
  return exits;
}

AccessList Entries(const Timing& timing, const SnappedPoint& place) {
  const auto opposite = timing.graph().Opposite(place.edge);
  AccessList entries;
  const auto add = [&](Piece piece) {
    if (!IsOpen(timing, piece.edge)) return;
    timing.turns.ForEachState(timing.graph().edge(piece.edge).from, [&](StateIndex state) {
      if (!timing.turns.MayTake(state, piece.edge)) return;
      entries.push_back({state, MsOf(timing, piece), piece.edge, piece.part});
    });
  };
  add({place.edge, place.fraction});
  if (opposite) add({*opposite, 1 - place.fraction});
  if (!opposite && place.fraction == 1) {
    timing.turns.ForEachState(timing.graph().edge(place.edge).to, [&](StateIndex state) {
      entries.push_back({state, 0, 0});
    });
  }
  return entries;
}

std::uint32_t DirectMs(const Timing& timing, const SnappedPoint& from, const SnappedPoint& to) {
  const std::optional<Piece> direct = FindDirect(timing, from, to);
  return direct ? MsOf(timing, *direct) : kUnreachableMs;
}

Route MakeDirectRoute(const Timing& timing, const SnappedPoint& from, const SnappedPoint& to) {
  const Piece direct = *FindDirect(timing, from, to);
  RouteMaker maker(from.point);
  maker.Append(to.point, MsOf(timing, direct), LengthDm(timing, direct));
  return std::move(maker).Finish();
}

Route MakeRoute(const Timing& timing, const SnappedPoint& from, const Access& exit,
                std::span<const EdgeIndex> path, const Access& entry, const SnappedPoint& to) {
  const RoadGraph& graph = timing.graph();
  RouteMaker maker(from.point);
  maker.Append(graph.position(timing.turns.node(exit.state)), exit.ms,
               LengthDm(timing, {exit.edge, exit.part}));
  for (const EdgeIndex i : path) {
    const Edge& edge = graph.edge(i);
    maker.Append(graph.position(edge.to), timing.edge_ms[i], edge.length_dm);
  }
  maker.Append(to.point, entry.ms, LengthDm(timing, {entry.edge, entry.part}));
  return std::move(maker).Finish();
}

}  // namespace ridestream::roads
