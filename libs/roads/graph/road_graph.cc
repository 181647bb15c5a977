#include "libs/roads/graph/road_graph.h"

#include <algorithm>
#include <utility>

#include "libs/base/draw.h"

namespace ridestream::roads {
namespace {

constexpr std::int64_t kCircleE7 = 3'600'000'000;

/// The longitude difference from `west` eastwards to `east`, 0 to below 360 degrees.
std::int64_t EastwardE7(LatLng west, LatLng east) {
  const std::int64_t e7 = (std::int64_t{east.lng_e7} - west.lng_e7) % kCircleE7;
  return e7 < 0 ? e7 + kCircleE7 : e7;
}

/// For places that don't fit into half of the earth, or that lie on both sides of the antimeridian:
/// the rectangle that excludes the widest gap between their longitudes.
void ExcludeWidestGap(std::span<const LatLng> places, BoundingBox& box) {
  std::vector<std::int32_t> lngs;
  lngs.reserve(places.size());
  for (const LatLng place : places) lngs.push_back(place.lng_e7);
  std::sort(lngs.begin(), lngs.end());
  std::int64_t widest = kCircleE7 - (std::int64_t{lngs.back()} - lngs.front());
  for (std::size_t i = 0; i + 1 < lngs.size(); ++i) {
    const std::int64_t gap = std::int64_t{lngs[i + 1]} - lngs[i];
    if (gap <= widest) continue;
    widest = gap;
    box.south_west.lng_e7 = lngs[i + 1];
    box.north_east.lng_e7 = lngs[i];
  }
}

BoundingBox BoundsOf(std::span<const LatLng> places) {
  BoundingBox box{places.front(), places.front()};
  for (const LatLng p : places) {
    box.south_west.lat_e7 = std::min(box.south_west.lat_e7, p.lat_e7);
    box.south_west.lng_e7 = std::min(box.south_west.lng_e7, p.lng_e7);
    box.north_east.lat_e7 = std::max(box.north_east.lat_e7, p.lat_e7);
    box.north_east.lng_e7 = std::max(box.north_east.lng_e7, p.lng_e7);
  }
  if (box.width_e7() > kCircleE7 / 2) ExcludeWidestGap(places, box);
  return box;
}

}  // namespace

std::int64_t BoundingBox::width_e7() const { return EastwardE7(south_west, north_east); }

bool BoundingBox::Contains(LatLng place, double margin_m) const {
  if (!place.IsValid()) return false;
  // The nearest place of the box by latitude and longitude.
  LatLng nearest{std::clamp(place.lat_e7, south_west.lat_e7, north_east.lat_e7), place.lng_e7};
  const std::int64_t east_e7 = EastwardE7(south_west, place);
  if (east_e7 > width_e7()) {
    const bool is_east_of_it = east_e7 - width_e7() < kCircleE7 - east_e7;
    nearest.lng_e7 = is_east_of_it ? north_east.lng_e7 : south_west.lng_e7;
  }
  return nearest == place || DistanceM(place, nearest) <= margin_m;
}

RoadGraph::RoadGraph(std::vector<LatLng> positions, std::vector<Edge> edges,
                     std::vector<std::string> names, std::size_t junction_count,
                     std::vector<EdgePath> forbidden)
    : positions_(std::move(positions)),
      edges_(std::move(edges)),
      names_(std::move(names)),
      junction_count_(junction_count),
      forbidden_paths_(std::move(forbidden)),
      first_out_(positions_.size() + 1),
      first_in_(positions_.size() + 1),
      in_edges_(edges_.size()),
      bounds_(BoundsOf(positions_)) {
  std::sort(forbidden_paths_.begin(), forbidden_paths_.end());
  for (const Edge& e : edges_) {
    ++first_out_[e.from + 1];
    ++first_in_[e.to + 1];
    max_length_dm_ = std::max(max_length_dm_, e.length_dm);
    has_stops_ = has_stops_ || e.may_stop;
  }
  for (std::size_t node = 0; node < positions_.size(); ++node) {
    first_out_[node + 1] += first_out_[node];
    first_in_[node + 1] += first_in_[node];
  }
  std::vector<std::uint32_t> next_in(first_in_.begin(), first_in_.end() - 1);
  opposite_.reserve(edges_.size());
  for (EdgeIndex i = 0; i < edges_.size(); ++i) {
    in_edges_[next_in[edges_[i].to]++] = i;
    opposite_.push_back(FindEdge(edges_[i].to, edges_[i].from).value_or(kNoEdge));
  }
}

std::optional<EdgeIndex> RoadGraph::FindEdge(NodeIndex from, NodeIndex to) const {
  for (EdgeIndex i = first_out_[from]; i < first_out_[from + 1]; ++i) {
    if (edges_[i].to == to) return i;
  }
  return std::nullopt;
}

LatLng RandomPointOnStreet(const RoadGraph& graph, std::mt19937_64& random) {
  // Rejection sampling: needs no table of cumulative lengths, and some tens of attempts at most on
  // real maps.
  for (;;) {
    const Edge& e = graph.edge(static_cast<EdgeIndex>(DrawBelow(random, graph.edge_count())));
    if (!e.may_stop && graph.has_stops()) continue;
    const std::uint64_t at_dm = DrawBelow(random, std::uint64_t{graph.max_length_dm()} + 1);
    if (at_dm > e.length_dm) continue;
    const double fraction =
        e.length_dm == 0 ? 0.0 : static_cast<double>(at_dm) / static_cast<double>(e.length_dm);
    return Interpolate(graph.position(e.from), graph.position(e.to), fraction);
  }
}

}  // namespace ridestream::roads
