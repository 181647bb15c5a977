#include "libs/roads/snap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "absl/status/status.h"
#include "libs/roads/text.h"

namespace ridestream::roads {
namespace {

constexpr double kCellM = 100;
constexpr double kMaxLngE7 = 3.6e9;
constexpr double kRadiansPerE7 = std::numbers::pi / 180.0 / 1e7;
constexpr double kMetresPerE7 = kEarthRadiusM * kRadiansPerE7;

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return quotient * b > a ? quotient - 1 : quotient;
}

}  // namespace

/// One question: a plane around the place that was asked for, in metres, and the best so far.
struct Snapper::Search {
  LatLng place;
  double metres_per_lng_e7;
  double best_squared_m;
  const Segment* best = nullptr;
  double fraction = 0;

  struct Measure {
    double squared_m;
    double fraction;
  };
  Measure To(const Segment& segment) const {
    const double ax = (double{1} * segment.a.lng_e7 - place.lng_e7) * metres_per_lng_e7;
    const double ay = (double{1} * segment.a.lat_e7 - place.lat_e7) * kMetresPerE7;
    const double dx = (double{1} * segment.b.lng_e7 - segment.a.lng_e7) * metres_per_lng_e7;
    const double dy = (double{1} * segment.b.lat_e7 - segment.a.lat_e7) * kMetresPerE7;
    const double squared_length = dx * dx + dy * dy;
    const double t =
        squared_length > 0 ? std::clamp(-(ax * dx + ay * dy) / squared_length, 0.0, 1.0) : 0.0;
    const double x = ax + t * dx;
    const double y = ay + t * dy;
    return {x * x + y * y, t};
  }

  void Consider(const Segment& segment) {
    const Measure m = To(segment);
    if (m.squared_m < best_squared_m || (best == nullptr && m.squared_m <= best_squared_m)) {
      best_squared_m = m.squared_m;
      best = &segment;
      fraction = m.fraction;
    }
  }
};

Snapper::Snapper(const RoadGraph& graph) : graph_(graph), origin_(graph.bounds().south_west) {
  std::vector<Segment> segments;
  segments.reserve(graph.edge_count());
  for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    const std::optional<EdgeIndex> opposite = graph.Opposite(i);
    if (opposite && *opposite < i) continue;  // one direction stands for both
    const Edge& e = graph.edge(i);
    segments.push_back({graph.position(e.from), graph.position(e.to), i});
  }
  ChooseCells(segments.size());

  first_.assign(static_cast<std::size_t>(rows_ * columns_) + 1, 0);
  for (const Segment& segment : segments) {
    ForEachCellOf(segment, [&](std::size_t cell) { ++first_[cell + 1]; });
  }
  for (std::size_t cell = 1; cell < first_.size(); ++cell) first_[cell] += first_[cell - 1];
  segments_.resize(first_.back());
  std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
  for (const Segment& segment : segments) {
    ForEachCellOf(segment, [&](std::size_t cell) { segments_[next[cell]++] = segment; });
  }
}

void Snapper::ChooseCells(std::size_t segment_count) {
  const BoundingBox& box = graph_.bounds();
  const double middle_lat_e7 = (double{1} * box.south_west.lat_e7 + box.north_east.lat_e7) / 2;
  const double shrink = std::max(0.01, std::cos(middle_lat_e7 * kRadiansPerE7));
  const double height_e7 = double{1} * box.north_east.lat_e7 - box.south_west.lat_e7;
  const double width_e7 = double{1} * box.north_east.lng_e7 - box.south_west.lng_e7;
  const double area_m2 = height_e7 * width_e7 * shrink * kMetresPerE7 * kMetresPerE7;
  // In a wide land with few streets, larger cells: their number stays in proportion to the streets.
  const double side_m =
      std::max(kCellM, std::sqrt(area_m2 / (2.0 * static_cast<double>(segment_count) + 1000)));
  cell_lat_e7_ = std::llround(side_m / kMetresPerE7);
  cell_lng_e7_ = std::llround(side_m / kMetresPerE7 / shrink);
  rows_ = Row(box.north_east.lat_e7) + 1;
  columns_ = Column(box.north_east.lng_e7) + 1;
}

std::int64_t Snapper::Column(std::int64_t lng_e7) const {
  return FloorDivide(lng_e7 - origin_.lng_e7, cell_lng_e7_);
}

std::int64_t Snapper::Row(std::int64_t lat_e7) const {
  return FloorDivide(lat_e7 - origin_.lat_e7, cell_lat_e7_);
}

/// Row by row, the cells that the part of the segment within that row touches.
template <class Visit>
void Snapper::ForEachCellOf(const Segment& segment, Visit visit) const {
  const auto [low, high] = std::minmax(
      segment.a, segment.b, [](const LatLng& x, const LatLng& y) { return x.lat_e7 < y.lat_e7; });
  const double height = double{1} * high.lat_e7 - low.lat_e7;
  const auto lng_at = [&, low = low, high = high](std::int64_t lat_e7) {
    const double t = std::clamp(static_cast<double>(lat_e7 - low.lat_e7) / height, 0.0, 1.0);
    return low.lng_e7 + t * (double{1} * high.lng_e7 - low.lng_e7);
  };
  for (std::int64_t row = Row(low.lat_e7); row <= Row(high.lat_e7); ++row) {
    double first_lng = low.lng_e7;
    double last_lng = high.lng_e7;
    if (height > 0) {
      first_lng = lng_at(origin_.lat_e7 + row * cell_lat_e7_);
      last_lng = lng_at(origin_.lat_e7 + (row + 1) * cell_lat_e7_);
    }
    if (first_lng > last_lng) std::swap(first_lng, last_lng);
    // One unit (1 cm) of slack, for the rounding.
    const std::int64_t first_column = Column(std::llround(first_lng) - 1);
    const std::int64_t last_column = Column(std::llround(last_lng) + 1);
    for (std::int64_t column = std::max<std::int64_t>(0, first_column);
         column <= std::min(columns_ - 1, last_column); ++column) {
      visit(static_cast<std::size_t>(row * columns_ + column));
    }
  }
}

void Snapper::SearchCells(std::int64_t row, std::int64_t first_column, std::int64_t last_column,
                          Search& search) const {
  if (row < 0 || row >= rows_) return;
  // Only the part of the row that is nearer than the best so far; with 2 cm for the rounding.
  const std::int64_t south_e7 = origin_.lat_e7 + row * cell_lat_e7_ - search.place.lat_e7;
  const std::int64_t gap_e7 =
      std::max({std::int64_t{0}, south_e7 - 2, -south_e7 - cell_lat_e7_ - 2});
  const double gap_m = static_cast<double>(gap_e7) * kMetresPerE7;
  const double reach_squared_m = search.best_squared_m - gap_m * gap_m;
  if (reach_squared_m < 0) return;
  const std::int64_t reach_e7 =
      2 + std::llround(std::min(kMaxLngE7, std::sqrt(reach_squared_m) / search.metres_per_lng_e7));
  first_column = std::max({std::int64_t{0}, first_column, Column(search.place.lng_e7 - reach_e7)});
  last_column = std::min({columns_ - 1, last_column, Column(search.place.lng_e7 + reach_e7)});
  if (first_column > last_column) return;
  // The cells of a row lie side by side, so their segments do too.
  const std::uint32_t end = first_[static_cast<std::size_t>(row * columns_ + last_column) + 1];
  for (std::uint32_t i = first_[static_cast<std::size_t>(row * columns_ + first_column)]; i < end;
       ++i) {
    search.Consider(segments_[i]);
  }
}

std::optional<SnappedPoint> Snapper::Nearest(LatLng place, double max_distance_m) const {
  if (!place.IsValid()) return std::nullopt;
  Search search{place, kMetresPerE7 * std::cos(place.lat_e7 * kRadiansPerE7),
                max_distance_m * max_distance_m};
  const double cell_m = std::min(static_cast<double>(cell_lat_e7_) * kMetresPerE7,
                                 static_cast<double>(cell_lng_e7_) * search.metres_per_lng_e7);
  const std::int64_t row = Row(place.lat_e7);
  const std::int64_t column = Column(place.lng_e7);
  const std::int64_t first_ring =
      std::max({std::int64_t{0}, -row, row - (rows_ - 1), -column, column - (columns_ - 1)});
  const std::int64_t last_ring = std::max({row, rows_ - 1 - row, column, columns_ - 1 - column});

  for (std::int64_t ring = first_ring; ring <= last_ring; ++ring) {
    // The rings before this one reach (ring - 1) whole cells around the place in each direction.
    const double searched_m = static_cast<double>(ring - 1) * cell_m;
    if (ring > 0 && searched_m * searched_m >= search.best_squared_m) break;
    SearchCells(row - ring, column - ring, column + ring, search);
    if (ring == 0) continue;
    SearchCells(row + ring, column - ring, column + ring, search);
    for (std::int64_t r = std::max<std::int64_t>(0, row - ring + 1);
         r <= std::min(rows_ - 1, row + ring - 1); ++r) {
      SearchCells(r, column - ring, column - ring, search);
      SearchCells(r, column + ring, column + ring, search);
    }
  }
  if (search.best == nullptr) return std::nullopt;
  const LatLng point = Interpolate(search.best->a, search.best->b, search.fraction);
  return SnappedPoint{search.best->edge, search.fraction, point, DistanceM(place, point)};
}

std::vector<SnappedPoint> Snapper::Within(LatLng place, double distance_m) const {
  std::vector<SnappedPoint> points;
  if (!place.IsValid()) return points;
  const Search search{place, kMetresPerE7 * std::cos(place.lat_e7 * kRadiansPerE7), 0};
  const std::int64_t height_e7 = std::llround(distance_m / kMetresPerE7);
  const std::int64_t width_e7 =
      std::llround(std::min(kMaxLngE7, distance_m / search.metres_per_lng_e7));
  const std::int64_t last_row = std::min(rows_ - 1, Row(place.lat_e7 + height_e7));
  const std::int64_t last_column = std::min(columns_ - 1, Column(place.lng_e7 + width_e7));
  const std::int64_t first_column = std::max<std::int64_t>(0, Column(place.lng_e7 - width_e7));
  for (std::int64_t row = std::max<std::int64_t>(0, Row(place.lat_e7 - height_e7));
       row <= last_row && first_column <= last_column; ++row) {
    const std::uint32_t end = first_[static_cast<std::size_t>(row * columns_ + last_column) + 1];
    for (std::uint32_t i = first_[static_cast<std::size_t>(row * columns_ + first_column)]; i < end;
         ++i) {
      const Search::Measure m = search.To(segments_[i]);
      if (m.squared_m > distance_m * distance_m) continue;
      const LatLng point = Interpolate(segments_[i].a, segments_[i].b, m.fraction);
      points.push_back({segments_[i].edge, m.fraction, point, std::sqrt(m.squared_m)});
    }
  }
  // A segment is in each cell that it touches.
  const auto by_edge = [](const auto& a, const auto& b) { return a.edge < b.edge; };
  const auto same_edge = [](const auto& a, const auto& b) { return a.edge == b.edge; };
  std::sort(points.begin(), points.end(), by_edge);
  points.erase(std::unique(points.begin(), points.end(), same_edge), points.end());
  return points;
}

absl::StatusOr<SnappedPoint> Snapper::Snap(LatLng place, double max_distance_m) const {
  if (!place.IsValid()) {
    return absl::InvalidArgumentError(fmt::format(
        "{} is no place on earth: latitudes go from -90 to 90 degrees, longitudes from -180 to 180",
        place.ToString()));
  }
  if (const auto found = Nearest(place, max_distance_m)) return *found;
  const auto anywhere = Nearest(place, std::numeric_limits<double>::infinity());
  return absl::NotFoundError(
      fmt::format("{} is {} m from the nearest street of the road graph; at most {} m is allowed",
                  place.ToString(), Grouped(std::llround(anywhere->distance_m)),
                  Grouped(std::llround(max_distance_m))));
}

}  // namespace ridestream::roads
