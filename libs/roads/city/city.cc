#include "libs/roads/city/city.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/draw.h"
#include "libs/roads/city/city_names.h"

namespace ridestream::roads {
namespace {

// Lengths are whole decimetres in a plane: x to the east, y to the north, from the blocks'
// south-west corner. Columns of junctions are avenues, rows are streets.
constexpr int kColumns = 50;
constexpr int kRows = 64;
constexpr std::int64_t kBlockWidth = 1440;
constexpr std::int64_t kBlockHeight = 840;
constexpr std::int64_t kRingGap = 3500;        // from the outermost blocks to the motorway
constexpr std::int64_t kRingCorner = 2500;     // cut off
constexpr std::int64_t kHalfCarriageway = 80;  // from the motorway's middle to each direction
constexpr int kBridges = 5;

constexpr LatLng kSouthWest{449'750'000, -300'480'000};

enum class Ground { kLand, kWater, kPark };
enum class Flow { kBothWays, kAlongPoints, kAgainstPoints };

struct Point {
  std::int64_t x = 0;
  std::int64_t y = 0;
};

struct Street {
  std::string name;
  std::string highway;
  std::string maxspeed;  // "": that of its class
  Flow flow = Flow::kBothWays;
};

class CityMaker {
 public:
  explicit CityMaker(std::uint64_t seed) : random_(seed) {}

  OsmData Make() {
    PlaceLines();
    PlaceRiver();
    PlacePark();
    PlaceJunctions();
    BuildAvenues();
    BuildStreets();
    BuildRing();
    return std::move(map_);
  }

 private:
  struct Junction {
    Ground ground = Ground::kLand;
    std::int64_t node_id = 0;  // 0: none
  };

  std::int64_t Jitter(std::int64_t most) { return DrawBetween(random_, -most, most); }
  bool OneIn(std::uint64_t n) { return DrawBelow(random_, n) == 0; }
  Junction& At(int column, int row) {
    return junctions_[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
  }
  std::int64_t X(int column) const { return x_[static_cast<std::size_t>(column)]; }
  std::int64_t Y(int row) const { return y_[static_cast<std::size_t>(row)]; }
  bool IsBridgeRow(int row) const {
    return std::find(bridge_rows_.begin(), bridge_rows_.end(), row) != bridge_rows_.end();
  }
  static bool IsBoulevard(int column) { return column % 8 == 1; }

  /// Uses whole numbers only, so the result is the same on every platform: at 45 N, a decimetre is
  /// 8.993 e7 units of latitude and 12.718 of longitude.
  std::int64_t AddNode(Point at) {
    const auto id = static_cast<std::int64_t>(map_.nodes.size()) + 1;
    map_.nodes.push_back(
        {id, LatLng{static_cast<std::int32_t>(kSouthWest.lat_e7 + at.y * 8993 / 1000),
                    static_cast<std::int32_t>(kSouthWest.lng_e7 + at.x * 12718 / 1000)}});
    return id;
  }

  void AddWay(const Street& street, std::vector<std::int64_t> node_ids, bool bridge = false) {
    if (node_ids.size() < 2) return;
    OsmWay way{static_cast<std::int64_t>(map_.ways.size()) + 1, std::move(node_ids), {}};
    way.tags.emplace_back("highway", street.highway);
    if (!street.name.empty()) way.tags.emplace_back("name", street.name);
    if (!street.maxspeed.empty()) way.tags.emplace_back("maxspeed", street.maxspeed);
    if (street.flow == Flow::kAlongPoints) way.tags.emplace_back("oneway", "yes");
    if (street.flow == Flow::kAgainstPoints) way.tags.emplace_back("oneway", "-1");
    if (bridge) way.tags.emplace_back("bridge", "yes");
    map_.ways.push_back(std::move(way));
  }

  /// Adds a street along these junctions, with a separate way for each stretch: water and the park
  /// interrupt it, and so does a missing piece in one of `gap_in` blocks (0: never).
  void AddStretches(const Street& street, const std::vector<Junction>& line, std::uint64_t gap_in) {
    std::vector<std::int64_t> stretch;
    for (const Junction& junction : line) {
      const bool gap = junction.node_id == 0 || (gap_in > 0 && OneIn(gap_in));
      if (gap) AddWay(street, std::exchange(stretch, {}));
      if (junction.node_id != 0) stretch.push_back(junction.node_id);
    }
    AddWay(street, std::move(stretch));
  }

  void PlaceLines() {
    for (std::size_t i = 1; i < x_.size(); ++i) x_[i] = x_[i - 1] + kBlockWidth + Jitter(240);
    for (std::size_t i = 1; i < y_.size(); ++i) y_[i] = y_[i - 1] + kBlockHeight + Jitter(120);
    for (int i = 0; i < kBridges; ++i) {
      const int middle = (2 * i + 1) * kRows / (2 * kBridges);
      bridge_rows_[static_cast<std::size_t>(i)] = middle + static_cast<int>(Jitter(3));
    }
  }

  /// From south to north, meandering through the middle.
  void PlaceRiver() {
    const std::int64_t width = x_.back();
    std::int64_t middle = width / 2 + Jitter(width / 12);
    std::int64_t drift = Jitter(150);
    for (int row = 0; row < kRows; ++row) {
      const std::int64_t half_width = 1300 + Jitter(100);
      for (int column = 0; column < kColumns; ++column) {
        if (std::abs(X(column) - middle) < half_width) At(column, row).ground = Ground::kWater;
      }
      drift = std::clamp<std::int64_t>(drift + Jitter(80), -300, 300);
      if (middle + drift < width * 2 / 5 || middle + drift > width * 3 / 5) drift = -drift;
      middle += drift;
    }
  }

  void PlacePark() {
    const bool east = OneIn(2);
    const int first_column = static_cast<int>(DrawBetween(random_, 6, 9)) + (east ? 28 : 0);
    const int first_row = static_cast<int>(DrawBetween(random_, 15, 40));
    for (int row = first_row; row < first_row + 10; ++row) {
      for (int column = first_column; column < first_column + 5; ++column) {
        At(column, row).ground = Ground::kPark;
      }
    }
  }

  void PlaceJunctions() {
    for (int row = 0; row < kRows; ++row) {
      for (int column = 0; column < kColumns; ++column) {
        Junction& junction = At(column, row);
        if (junction.ground != Ground::kLand) continue;
        junction.node_id = AddNode({X(column) + Jitter(80), Y(row) + Jitter(80)});
      }
    }
  }

  void BuildAvenues() {
    const std::vector<std::string> names = DrawStreetNames(random_, kColumns + kBridges);
    bridge_names_.assign(names.end() - kBridges, names.end());
    for (int column = 0; column < kColumns; ++column) {
      const std::string& name = names[static_cast<std::size_t>(column)];
      Street street{name + " Avenue", "tertiary", "", Flow::kBothWays};
      const bool edge = column == 0 || column == kColumns - 1;
      if (IsBoulevard(column)) {
        street = {name + " Boulevard", "primary", "60", Flow::kBothWays};
      } else if (!edge && OneIn(2)) {
        street.flow = column % 2 == 0 ? Flow::kAlongPoints : Flow::kAgainstPoints;
      }
      std::vector<Junction> line;
      line.reserve(kRows);
      for (int row = 0; row < kRows; ++row) line.push_back(At(column, row));
      AddStretches(street, line, 0);
    }
  }

  void BuildStreets() {
    for (int row = 0; row < kRows; ++row) {
      const bool edge = row == 0 || row == kRows - 1;
      Street street{"", "residential", "", Flow::kBothWays};
      std::uint64_t gap_in = 25;
      if (IsBridgeRow(row)) {
        street.highway = "secondary";
        gap_in = 0;
      } else if (edge || row % 9 == 4) {
        street.highway = "tertiary";
        gap_in = 0;
      } else if (!OneIn(3)) {
        street.flow = row % 2 == 0 ? Flow::kAlongPoints : Flow::kAgainstPoints;
      }
      BuildStreet(row, street, gap_in);
    }
  }

  void BuildStreet(int row, Street street, std::uint64_t gap_in) {
    std::vector<Junction> west;
    std::vector<Junction> east;
    bool crossed = false;
    for (int column = 0; column < kColumns; ++column) {
      const Junction& junction = At(column, row);
      crossed = crossed || junction.ground == Ground::kWater;
      if (junction.ground != Ground::kWater) (crossed ? east : west).push_back(junction);
    }
    street.name = fmt::format("West {} Street", Ordinal(row + 1));
    AddStretches(street, west, gap_in);
    street.name = fmt::format("East {} Street", Ordinal(row + 1));
    AddStretches(street, east, gap_in);
    if (!IsBridgeRow(row)) return;
    const auto number = static_cast<std::size_t>(
        std::find(bridge_rows_.begin(), bridge_rows_.end(), row) - bridge_rows_.begin());
    street.name = bridge_names_[number] + " Bridge";
    AddWay(street, {west.back().node_id, east.front().node_id}, true);
  }

  /// The course of the motorway, counter-clockwise, `outward` of its middle line, each point with
  /// the junction of the city to which an exit leads there (0: none).
  std::vector<std::pair<Point, std::int64_t>> RingPoints(std::int64_t outward) {
    const std::int64_t west = -kRingGap - outward;
    const std::int64_t south = -kRingGap - outward;
    const std::int64_t east = x_.back() + kRingGap + outward;
    const std::int64_t north = y_.back() + kRingGap + outward;
    std::vector<std::pair<Point, std::int64_t>> points;
    points.push_back({{west + kRingCorner, south}, 0});
    for (int c = 0; c < kColumns; ++c) {
      if (IsBoulevard(c)) points.push_back({{X(c), south}, At(c, 0).node_id});
    }
    points.push_back({{east - kRingCorner, south}, 0});
    points.push_back({{east, south + kRingCorner}, 0});
    for (const int r : bridge_rows_) points.push_back({{east, Y(r)}, At(kColumns - 1, r).node_id});
    points.push_back({{east, north - kRingCorner}, 0});
    points.push_back({{east - kRingCorner, north}, 0});
    for (int c = kColumns - 1; c >= 0; --c) {
      if (IsBoulevard(c)) points.push_back({{X(c), north}, At(c, kRows - 1).node_id});
    }
    points.push_back({{west + kRingCorner, north}, 0});
    points.push_back({{west, north - kRingCorner}, 0});
    for (auto r = bridge_rows_.rbegin(); r != bridge_rows_.rend(); ++r) {
      points.push_back({{west, Y(*r)}, At(0, *r).node_id});
    }
    points.push_back({{west, south + kRingCorner}, 0});
    return points;
  }

  /// Traffic keeps to the right: the outer carriageway is counter-clockwise, the inner one
  /// clockwise.
  void BuildRing() {
    const Street motorway{"Ring Motorway", "motorway", "90", Flow::kBothWays};  // one-way by class
    const Street ramp{"", "motorway_link", "", Flow::kBothWays};
    for (const bool outside : {true, false}) {
      std::vector<std::int64_t> ring;
      for (const auto& [point, junction] :
           RingPoints(outside ? kHalfCarriageway : -kHalfCarriageway)) {
        ring.push_back(AddNode(point));
        if (junction != 0) AddWay(ramp, {junction, ring.back()});
      }
      if (!outside) std::reverse(ring.begin(), ring.end());
      ring.push_back(ring.front());
      AddWay(motorway, std::move(ring));
    }
  }

  std::mt19937_64 random_;
  OsmData map_;
  std::array<std::int64_t, kColumns> x_{};
  std::array<std::int64_t, kRows> y_{};
  std::array<int, kBridges> bridge_rows_{};  // ascending
  std::vector<std::string> bridge_names_;
  std::array<std::array<Junction, kColumns>, kRows> junctions_{};
};

}  // namespace

OsmData MakeCity(std::uint64_t seed) { return CityMaker(seed).Make(); }

}  // namespace ridestream::roads
