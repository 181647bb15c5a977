#include "services/dispatch/streets/place_table.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace ridestream::dispatch {
namespace {

/// Metres in a ten-millionth of a degree of latitude.
constexpr double kMPerLatE7 = kEarthRadiusM * std::numbers::pi / 180 / 1e7;
/// On shorter segments, rounding to decimetres and milliseconds distorts the speed.
constexpr std::uint32_t kTellingLengthDm = 50;
/// Margin for the rounding, and for the error of the flat projection.
constexpr double kOptimism = 1.03;

double FastestDmPerMs(const roads::RoadGraph& graph) {
  double fastest = 0;
  for (roads::EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    const roads::Edge& edge = graph.edge(i);
    if (edge.length_dm < kTellingLengthDm) continue;
    fastest = std::max(fastest, static_cast<double>(edge.length_dm) / edge.duration_ms);
  }
  constexpr double kAnyCar = 5;  // 500 m/s: streets of crumbs only, about which nothing is known.
  return fastest == 0 ? kAnyCar : fastest;
}

std::uint64_t KeyOf(LatLng place) {
  return (std::uint64_t{static_cast<std::uint32_t>(place.lat_e7)} << 32) |
         static_cast<std::uint32_t>(place.lng_e7);
}

}  // namespace

PlaceTable::PlaceTable(const roads::Router& router) : router_(router) {
  us_per_m_ = 10 * 1'000 / (FastestDmPerMs(router.graph()) * kOptimism);
  const roads::BoundingBox& bounds = router.graph().bounds();
  const double furthest = std::max(std::abs(bounds.south_west.lat()), bounds.north_east.lat());
  m_per_lng_e7_ = kMPerLatE7 * std::cos(furthest * std::numbers::pi / 180);
}

void PlaceTable::BeginRound() {
  kept_.clear();
  for (std::size_t i = 0; i < places_.size(); ++i) kept_.emplace(keys_[i], std::move(places_[i]));
  places_.clear();
  keys_.clear();
  index_.clear();
}

PlaceIndex PlaceTable::Add(LatLng place, roads::StreetUse use) {
  const Key key{KeyOf(place), use};
  const auto [found, is_new] = index_.try_emplace(key, static_cast<PlaceIndex>(places_.size()));
  if (!is_new) return found->second;
  const auto kept = kept_.find(key);
  places_.push_back(kept == kept_.end() ? Locate(place, use) : std::move(kept->second));
  keys_.push_back(key);
  return found->second;
}

PlaceTable::Known PlaceTable::Locate(LatLng place, roads::StreetUse use) const {
  Known known{router_.snapper().Nearest(place, use), std::nullopt};
  if (!known.point) return known;
  const LatLng corner = router_.graph().bounds().south_west;
  const LatLng on_street = known.point->point;
  known.x = static_cast<float>(EastE7(corner, on_street) * m_per_lng_e7_);
  known.y = static_cast<float>((on_street.lat_e7 - corner.lat_e7) * kMPerLatE7);
  return known;
}

const roads::PreparedPlace& PlaceTable::Prepared(PlaceIndex place) {
  Known& known = places_[place];
  if (!known.prepared) known.prepared = router_.Prepare(*known.point);
  return *known.prepared;
}

Duration PlaceTable::Exact::Between(PlaceIndex from, PlaceIndex to) {
  if (!table_.places_[from].point || !table_.places_[to].point) return kNoWay;
  const std::uint32_t ms = table_.router_.MsBetween(table_.Prepared(from), table_.Prepared(to));
  return ms == roads::kUnreachableMs ? kNoWay : std::chrono::milliseconds(ms);
}

Duration PlaceTable::Optimistic::Between(PlaceIndex from, PlaceIndex to) {
  const Known& a = table_.places_[from];
  const Known& b = table_.places_[to];
  if (!a.point || !b.point) return kNoWay;
  const float dx = a.x - b.x, dy = a.y - b.y;
  return Duration(static_cast<Duration::rep>(std::sqrt(dx * dx + dy * dy) * table_.us_per_m_));
}

}  // namespace ridestream::dispatch
