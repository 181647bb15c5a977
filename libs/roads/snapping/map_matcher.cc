#include "libs/roads/snapping/map_matcher.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ridestream::roads {
namespace {

/// Typical difference between the length of a path and the positions' distance.
constexpr double kLengthFitM = 15;
/// Paths that are longer by more than this are not considered.
constexpr double kMaxDetourM = 150;
/// Two positions that are nearer say nothing about the path between them.
constexpr double kApartM = 2 * MapMatcher::kNoiseM;
/// A greater distance than a car drives between two positions: earlier positions belong to another
/// path.
constexpr double kGapM = 1'000;
constexpr std::size_t kMaxStreets = 8;
constexpr double kImpossible = -std::numeric_limits<double>::infinity();
/// If the logarithms of two directions' likelihoods differ by less, the directions are equally
/// likely.
constexpr double kUndecided = 0.5;

DijkstraSearch& MatchSearch() {
  thread_local DijkstraSearch search;
  return search;
}

double LengthFit(double way_m, double driven_m) {
  return -std::abs(way_m - driven_m) / kLengthFitM;
}

/// The newest positions that are apart from each other, oldest first.
std::vector<LatLng> Thin(std::span<const LatLng> track) {
  std::vector<LatLng> thin;
  for (auto at = track.rbegin(); at != track.rend() && thin.size() < MapMatcher::kPositions; ++at) {
    const double apart_m = thin.empty() ? kApartM : FastDistanceM(thin.back(), *at);
    if (apart_m > kGapM) break;
    if (apart_m >= kApartM) thin.push_back(*at);
  }
  std::reverse(thin.begin(), thin.end());
  return thin;
}

}  // namespace

/// A place on one direction of a street, and the likelihood of the best path that leads there.
struct MapMatcher::Candidate {
  SnappedPoint point;
  double likelihood;  // as a logarithm
};

MapMatcher::MapMatcher(const TurnGraph& turns, const Snapper& snapper)
    : turns_(turns), snapper_(snapper) {
  for (StateIndex state = 0; state < turns.state_count(); ++state) {
    lengths_.first.push_back(turns.FirstArc(state));
    for (const TurnGraph::Arc& arc : turns.Arcs(state)) {
      lengths_.arcs.push_back({arc.head, turns.graph().edge(arc.edge).length_dm});
    }
  }
  lengths_.first.push_back(static_cast<std::uint32_t>(lengths_.arcs.size()));
}

MapMatcher::Candidates MapMatcher::CandidatesAt(LatLng place) const {
  std::vector<SnappedPoint> points = snapper_.Within(place, kReachM);
  std::sort(points.begin(), points.end(),
            [](const auto& a, const auto& b) { return a.distance_m < b.distance_m; });
  if (points.size() > kMaxStreets) points.resize(kMaxStreets);
  Candidates candidates;
  for (SnappedPoint point : points) {
    const double off = point.distance_m / kNoiseM;
    point.under_way = true;
    candidates.push_back({point, -off * off / 2});
    const auto opposite = turns_.graph().Opposite(point.edge);
    if (!opposite) continue;
    point.edge = *opposite;
    point.fraction = 1 - point.fraction;
    candidates.push_back({point, -off * off / 2});
  }
  return candidates;
}

/// Adds to the likelihoods of `now` those of the best paths from `before`, `driven_m` apart. If
/// there is no path, the earlier positions are forgotten.
void MapMatcher::Advance(const Candidates& before, double driven_m, Candidates& now) const {
  const RoadGraph& graph = turns_.graph();
  const auto length_m = [&](EdgeIndex edge) { return graph.edge(edge).length_dm / 10.0; };
  const double limit_m = driven_m + kMaxDetourM;
  std::vector<double> best(now.size(), kImpossible);
  DijkstraSearch& search = MatchSearch();
  for (const Candidate& from : before) {
    const double rest_m = (1 - from.point.fraction) * length_m(from.point.edge);
    search.Start(turns_.state_count());
    search.AddStart(turns_.After(from.point.edge),
                    static_cast<std::uint32_t>(std::lround(rest_m * 10)));
    search.Run(lengths_, static_cast<std::uint32_t>(limit_m * 10),
               [](StateIndex, std::uint32_t) { return true; });
    for (std::size_t i = 0; i < now.size(); ++i) {
      const SnappedPoint& to = now[i].point;
      const double start_m = to.fraction * length_m(to.edge);
      const auto consider = [&](double way_m) {
        if (way_m > limit_m) return;
        best[i] = std::max(best[i], from.likelihood + LengthFit(way_m, driven_m));
      };
      if (to.edge == from.point.edge && to.fraction >= from.point.fraction) {
        consider((to.fraction - from.point.fraction) * length_m(to.edge));
      }
      turns_.ForEachState(graph.edge(to.edge).from, [&](StateIndex state) {
        const std::uint32_t dm = search.ms(state);
        if (dm == DijkstraSearch::kUnreached || !turns_.MayTake(state, to.edge)) return;
        consider(dm / 10.0 + start_m);
      });
    }
  }
  if (std::all_of(best.begin(), best.end(), [](double b) { return b == kImpossible; })) return;
  for (std::size_t i = 0; i < now.size(); ++i) now[i].likelihood += best[i];
}

std::optional<SnappedPoint> MapMatcher::Match(std::span<const LatLng> track) const {
  if (track.empty()) return std::nullopt;
  const std::vector<LatLng> places = Thin(track);
  Candidates candidates;
  LatLng last;
  for (const LatLng place : places) {
    Candidates now = CandidatesAt(place);
    if (now.empty()) continue;  // In a car park, or with too much noise.
    if (!candidates.empty()) Advance(candidates, FastDistanceM(last, place), now);
    candidates = std::move(now);
    last = place;
  }
  if (candidates.empty() || last != track.back()) return snapper_.Nearest(track.back());
  const auto best = std::max_element(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.likelihood < b.likelihood; });
  const auto opposite = turns_.graph().Opposite(best->point.edge);
  SnappedPoint point = best->point;
  for (const Candidate& other : candidates) {
    if (other.point.edge != opposite) continue;
    if (other.likelihood > best->likelihood - kUndecided) point.under_way = false;
  }
  return point;
}

}  // namespace ridestream::roads
