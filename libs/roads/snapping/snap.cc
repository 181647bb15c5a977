#include "libs/roads/snapping/snap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/text.h"

namespace ridestream::roads {
namespace {

constexpr double kCellM = 150;
constexpr double kMaxLngE7 = 3.6e9;
constexpr double kRoundingM = 0.05;  // More than what single precision loses within a city.
constexpr double kRadiansPerE7 = std::numbers::pi / 180.0 / 1e7;
constexpr double kMetresPerE7 = kEarthRadiusM * kRadiansPerE7;

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return quotient * b > a ? quotient - 1 : quotient;
}

/// Prefetches every cache line of an array's part. Elements may be longer than a line.
template <class T>
void PrefetchLines(const T* first, const T* end) {
  constexpr std::size_t kLineBytes = 64;
  if (first == end) return;
  const auto* const last_byte = reinterpret_cast<const std::byte*>(end) - 1;
  for (auto* line = reinterpret_cast<const std::byte*>(first); line < last_byte;
       line += kLineBytes) {
    __builtin_prefetch(line);
  }
  __builtin_prefetch(last_byte);
}

}  // namespace

void Snapper::Block::Set(int lane, const Segment& segment) {
  a_lat_e7[lane] = segment.a.lat_e7;
  a_lng_e7[lane] = segment.a.lng_e7;
  b_lat_e7[lane] = segment.b.lat_e7;
  b_lng_e7[lane] = segment.b.lng_e7;
  may_stop[lane] = segment.may_stop ? -1 : 0;
  edge[lane] = segment.edge;
}

Snapper::Segment Snapper::Block::At(int lane) const {
  return {{a_lat_e7[lane], a_lng_e7[lane]},
          {b_lat_e7[lane], b_lng_e7[lane]},
          edge[lane],
          may_stop[lane] != 0};
}

LatLng Snapper::ToPlane(LatLng place) const {
  return {place.lat_e7, WrapLngE7(std::int64_t{place.lng_e7} - middle_lng_e7_)};
}

LatLng Snapper::FromPlane(LatLng place) const {
  return {place.lat_e7, WrapLngE7(std::int64_t{place.lng_e7} + middle_lng_e7_)};
}

/// One query: a plane around the given place, in metres, and the best result so far.
struct Snapper::Search {
  LatLng place;
  double metres_per_lng_e7;
  /// The best of each lane, in single precision, which is enough to choose because differences are
  /// of whole numbers.
  Float4 best_squared_m{};
  Int4 best_block{-1, -1, -1, -1};
  Int4 may_only_drive{};  // All bits set where stopping isn't required.

  Search(LatLng p, StreetUse use, double max_distance_m)
      : place(p), metres_per_lng_e7(kMetresPerE7 * std::cos(p.lat_e7 * kRadiansPerE7)) {
    if (use == StreetUse::kDrive) may_only_drive -= 1;
    best_squared_m += static_cast<float>(max_distance_m * max_distance_m);
  }

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

  /// Overflows where the difference doesn't fit, which only happens for places on opposite sides of
  /// the earth.
  static Float4 Difference(Int4 a, Int4 b) {
    using Bits4 = std::uint32_t __attribute__((vector_size(16)));
    const Bits4 difference = reinterpret_cast<Bits4>(a) - reinterpret_cast<Bits4>(b);
    return __builtin_convertvector(reinterpret_cast<Int4>(difference), Float4);
  }

  /// As To.
  void Consider(const Block& block, std::int32_t index) {
    constexpr auto kNorth = static_cast<float>(kMetresPerE7);
    const auto east = static_cast<float>(metres_per_lng_e7);
    const Float4 zero{};
    const Float4 one = zero + 1.0F;
    const Float4 least = zero + 1e-12F;
    const Float4 ax = Difference(block.a_lng_e7, Int4{} + place.lng_e7) * east;
    const Float4 ay = Difference(block.a_lat_e7, Int4{} + place.lat_e7) * kNorth;
    const Float4 dx = Difference(block.b_lng_e7, block.a_lng_e7) * east;
    const Float4 dy = Difference(block.b_lat_e7, block.a_lat_e7) * kNorth;
    const Float4 squared_length = dx * dx + dy * dy + least;
    Float4 t = -(ax * dx + ay * dy) / squared_length;
    t = t > zero ? t : zero;
    t = t < one ? t : one;
    const Float4 x = ax + t * dx;
    const Float4 y = ay + t * dy;
    const Float4 squared_m = x * x + y * y;
    const Int4 better = (squared_m < best_squared_m) & (block.may_stop | may_only_drive);
    best_squared_m = better ? squared_m : best_squared_m;
    best_block = better ? Int4{} + index : best_block;
  }

  double ReachSquaredM() const { return best_squared_m[BestLane()]; }

  int BestLane() const {
    int best = 0;
    for (int lane = 1; lane < 4; ++lane) {
      if (best_squared_m[lane] < best_squared_m[best]) best = lane;
    }
    return best;
  }
};

Snapper::Snapper(const RoadGraph& graph)
    : graph_(graph),
      middle_lng_e7_(WrapLngE7(graph.bounds().south_west.lng_e7 + graph.bounds().width_e7() / 2)),
      origin_(ToPlane(graph.bounds().south_west)) {
  std::vector<Segment> segments;
  segments.reserve(graph.edge_count());
  for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    const std::optional<EdgeIndex> opposite = graph.Opposite(i);
    if (opposite && *opposite < i) continue;  // one direction stands for both
    const Edge& e = graph.edge(i);
    segments.push_back(
        {ToPlane(graph.position(e.from)), ToPlane(graph.position(e.to)), i, e.may_stop});
  }
  ChooseCells(segments.size());
  FillCells(segments);
}

void Snapper::FillCells(const std::vector<Segment>& segments) {
  std::vector<std::uint32_t> count(static_cast<std::size_t>(rows_ * columns_));
  for (const Segment& segment : segments) {
    ForEachCellOf(segment, [&](std::size_t cell) { ++count[cell]; });
  }
  first_.reserve(count.size() + 1);
  first_.push_back(0);
  for (const std::uint32_t in_cell : count) first_.push_back(first_.back() + (in_cell + 3) / 4);
  blocks_.resize(first_.back());
  std::fill(count.begin(), count.end(), 0);
  for (const Segment& segment : segments) {
    ForEachCellOf(segment, [&](std::size_t cell) {
      const std::uint32_t index = count[cell]++;
      Block& block = blocks_[first_[cell] + index / 4];
      for (int lane = static_cast<int>(index % 4); lane < 4; ++lane) block.Set(lane, segment);
    });
  }
}

void Snapper::ChooseCells(std::size_t segment_count) {
  const BoundingBox& box = graph_.bounds();
  const double middle_lat_e7 = (double{1} * box.south_west.lat_e7 + box.north_east.lat_e7) / 2;
  const double shrink = std::max(0.01, std::cos(middle_lat_e7 * kRadiansPerE7));
  const double height_e7 = double{1} * box.north_east.lat_e7 - box.south_west.lat_e7;
  const auto width_e7 = static_cast<double>(box.width_e7());
  const double area_m2 = height_e7 * width_e7 * shrink * kMetresPerE7 * kMetresPerE7;
  // Larger cells for a large area with few streets keep the number of cells proportional to the
  // streets.
  const double side_m =
      std::max(kCellM, std::sqrt(area_m2 / (2.0 * static_cast<double>(segment_count) + 1000)));
  cell_lat_e7_ = std::llround(side_m / kMetresPerE7);
  cell_lng_e7_ = std::llround(side_m / kMetresPerE7 / shrink);
  rows_ = Row(box.north_east.lat_e7) + 1;
  columns_ = Column(origin_.lng_e7 + box.width_e7()) + 1;
}

std::int64_t Snapper::Column(std::int64_t lng_e7) const {
  return FloorDivide(lng_e7 - origin_.lng_e7, cell_lng_e7_);
}

std::int64_t Snapper::Row(std::int64_t lat_e7) const {
  return FloorDivide(lat_e7 - origin_.lat_e7, cell_lat_e7_);
}

/// Visits, row by row, the cells that the segment's part within the row touches.
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
  // Only the part of the row that is nearer than the best so far, with 2 cm for rounding.
  const std::int64_t south_e7 = origin_.lat_e7 + row * cell_lat_e7_ - search.place.lat_e7;
  const std::int64_t gap_e7 =
      std::max({std::int64_t{0}, south_e7 - 2, -south_e7 - cell_lat_e7_ - 2});
  const double gap_m = static_cast<double>(gap_e7) * kMetresPerE7;
  const double reach_squared_m = search.ReachSquaredM() - gap_m * gap_m;
  if (reach_squared_m < 0) return;
  const std::int64_t reach_e7 =
      2 + std::llround(std::min(kMaxLngE7, std::sqrt(reach_squared_m) / search.metres_per_lng_e7));
  first_column = std::max({std::int64_t{0}, first_column, Column(search.place.lng_e7 - reach_e7)});
  last_column = std::min({columns_ - 1, last_column, Column(search.place.lng_e7 + reach_e7)});
  if (first_column > last_column) return;
  // The cells of a row are contiguous, and so are their segments.
  const std::uint32_t end = first_[static_cast<std::size_t>(row * columns_ + last_column) + 1];
  for (std::uint32_t i = first_[static_cast<std::size_t>(row * columns_ + first_column)]; i < end;
       ++i) {
    search.Consider(blocks_[i], static_cast<std::int32_t>(i));
  }
}

std::optional<SnappedPoint> Snapper::Nearest(LatLng asked, StreetUse use,
                                             double max_distance_m) const {
  if (!asked.IsValid()) return std::nullopt;
  const LatLng place = ToPlane(asked);
  Search search(place, use, max_distance_m + kRoundingM);
  const std::int64_t row = Row(place.lat_e7);
  const std::int64_t column = Column(place.lng_e7);
  const double cell_north_m = static_cast<double>(cell_lat_e7_) * kMetresPerE7;
  const double cell_east_m = static_cast<double>(cell_lng_e7_) * search.metres_per_lng_e7;
  const double north_m =
      static_cast<double>(place.lat_e7 - origin_.lat_e7 - row * cell_lat_e7_) * kMetresPerE7;
  const double east_m = static_cast<double>(place.lng_e7 - origin_.lng_e7 - column * cell_lng_e7_) *
                        search.metres_per_lng_e7;
  const double margin_m =
      std::min({north_m, cell_north_m - north_m, east_m, cell_east_m - east_m}) - kRoundingM;
  const std::int64_t first_ring =
      std::max({std::int64_t{0}, -row, row - (rows_ - 1), -column, column - (columns_ - 1)});
  const std::int64_t last_ring = std::max({row, rows_ - 1 - row, column, columns_ - 1 - column});

  for (std::int64_t ring = first_ring; ring <= last_ring; ++ring) {
    // The rings before this one extend this far around the place in each direction.
    const double searched_m =
        margin_m + static_cast<double>(ring - 1) * std::min(cell_north_m, cell_east_m);
    if (searched_m > 0 && searched_m * searched_m >= search.ReachSquaredM()) break;
    SearchCells(row - ring, column - ring, column + ring, search);
    if (ring == 0) continue;
    SearchCells(row + ring, column - ring, column + ring, search);
    for (std::int64_t r = std::max<std::int64_t>(0, row - ring + 1);
         r <= std::min(rows_ - 1, row + ring - 1); ++r) {
      SearchCells(r, column - ring, column - ring, search);
      SearchCells(r, column + ring, column + ring, search);
    }
  }
  const int lane = search.BestLane();
  if (search.best_block[lane] < 0) return std::nullopt;
  const Segment best = blocks_[static_cast<std::size_t>(search.best_block[lane])].At(lane);
  const Search::Measure measure = search.To(best);
  const double distance_m = std::sqrt(measure.squared_m);
  if (distance_m > max_distance_m) return std::nullopt;
  return SnappedPoint{best.edge, measure.fraction,
                      FromPlane(Interpolate(best.a, best.b, measure.fraction)), distance_m};
}

std::vector<std::optional<SnappedPoint>> Snapper::NearestOfEach(std::span<const LatLng> places,
                                                                StreetUse use,
                                                                double max_distance_m) const {
  constexpr std::size_t kAhead = 8;
  // The cell of each place; an arbitrary one for places outside, which are searched separately.
  std::vector<std::size_t> cells;
  cells.reserve(places.size());
  for (const LatLng place : places) {
    const std::int64_t row = std::clamp(Row(place.lat_e7), std::int64_t{0}, rows_ - 1);
    const std::int64_t column =
        std::clamp(Column(ToPlane(place).lng_e7), std::int64_t{0}, columns_ - 1);
    cells.push_back(static_cast<std::size_t>(row * columns_ + column));
    __builtin_prefetch(&first_[cells.back()]);
  }
  std::vector<std::optional<SnappedPoint>> found;
  found.reserve(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i + kAhead < places.size()) {
      const std::size_t cell = cells[i + kAhead];
      PrefetchLines(blocks_.data() + first_[cell], blocks_.data() + first_[cell + 1]);
    }
    found.push_back(Nearest(places[i], use, max_distance_m));
  }
  return found;
}

std::vector<SnappedPoint> Snapper::Within(LatLng asked, double distance_m) const {
  std::vector<SnappedPoint> points;
  if (!asked.IsValid()) return points;
  const LatLng place = ToPlane(asked);
  const Search search(place, StreetUse::kDrive, 0);
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
      for (int lane = 0; lane < 4; ++lane) {
        const Segment segment = blocks_[i].At(lane);
        const Search::Measure m = search.To(segment);
        if (m.squared_m > distance_m * distance_m) continue;
        const LatLng point = FromPlane(Interpolate(segment.a, segment.b, m.fraction));
        points.push_back({segment.edge, m.fraction, point, std::sqrt(m.squared_m)});
      }
    }
  }
  // A segment is in each cell that it touches, and may occur several times.
  const auto by_edge = [](const auto& a, const auto& b) { return a.edge < b.edge; };
  const auto same_edge = [](const auto& a, const auto& b) { return a.edge == b.edge; };
  std::sort(points.begin(), points.end(), by_edge);
  points.erase(std::unique(points.begin(), points.end(), same_edge), points.end());
  return points;
}

absl::StatusOr<SnappedPoint> Snapper::Snap(LatLng place, StreetUse use,
                                           double max_distance_m) const {
  if (!place.IsValid()) {
    return absl::InvalidArgumentError(
        fmt::format("{} is not a place on earth: latitudes range from -90 to 90 degrees, "
                    "longitudes from -180 to 180",
                    place.ToString()));
  }
  if (const auto found = Nearest(place, use, max_distance_m)) return *found;
  const char* const street =
      use == StreetUse::kDrive ? "street of the road graph" : "street where a car may stop";
  const auto anywhere = Nearest(place, use, std::numeric_limits<double>::infinity());
  if (!anywhere) return absl::NotFoundError(fmt::format("there is no {}", street));
  return absl::NotFoundError(fmt::format("{} is {} m from the nearest {}; at most {} m is allowed",
                                         place.ToString(),
                                         Grouped(std::llround(DistanceM(place, anywhere->point))),
                                         street, Grouped(std::llround(max_distance_m))));
}

}  // namespace ridestream::roads
