#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>
#include <string>
#include <utility>

#include "libs/base/geo.h"
#include "libs/roads/map/osm_data.h"
#include "libs/roads/map/osm_file.h"
#include "libs/roads/streets.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::roads {

/// Taveuni in Fiji lies across the antimeridian, Longyearbyen at 78 degrees north.
inline constexpr LatLng kTaveuni{-168'400'000, -1'800'000'000};
inline constexpr LatLng kLongyearbyen{782'200'000, 156'300'000};

/// The place moved east by `east_e7`: on the same latitude, distances don't change.
inline LatLng ShiftedEast(LatLng place, std::int64_t east_e7) {
  return {place.lat_e7, WrapLngE7(place.lng_e7 + east_e7)};
}

/// A town of 7 by 7 junctions, 220 m apart, around `middle`: streets from west to east, every
/// second of them one-way; a straight street from south to north in each column; a diagonal one;
/// and forbidden turns. Towns on one latitude differ only in their longitudes.
class TestTown {
 public:
  static constexpr int kSide = 7;

  /// With `cut`, the streets across the middle end there on either side, as on maps at the
  /// antimeridian: at separate points at 180 and -180 degrees. `middle` must be on it.
  explicit TestTown(LatLng middle, bool cut = false) : middle_(middle), cut_(cut) {
    for (int row = 0; row < kSide; ++row) {
      for (int column = 0; column < kSide; ++column) {
        map_.nodes.push_back({Node(row, column), At(row - kHalf, column - kHalf)});
        if (!cut || column != kHalf) continue;
        LatLng east = At(row - kHalf, 0);
        LatLng west = east;
        east.lng_e7 = -kAntimeridianE7;
        west.lng_e7 = kAntimeridianE7;
        map_.nodes.back().position = west;
        map_.nodes.push_back({Node(row, column) + kEastern, east});
      }
    }
    for (int row = 0; row < kSide; ++row) AddRow(row);
    for (int column = 0; column < kSide; ++column) AddColumn(column);
    map_.ways.push_back({900,
                         {Node(0, 0), Node(1, 1), Node(2, 2)},
                         {{"highway", "residential"}, {"name", "Diagonal"}}});
    // From the middle row, turning north is forbidden at the middle column.
    map_.relations.push_back({1,
                              {{RelationMember::Type::kWay, 100 + kHalf, "from"},
                               {RelationMember::Type::kNode, Node(kHalf, kHalf), "via"},
                               {RelationMember::Type::kWay, 200 + kHalf, "to"}},
                              {{"type", "restriction"}, {"restriction", "no_left_turn"}}});
  }

  /// The place this many blocks north and east of the middle.
  LatLng At(double north, double east) const {
    constexpr double kBlockE7 = 20'000;
    const double shrink = std::cos(middle_.lat() * std::numbers::pi / 180);
    return ShiftedEast(
        {middle_.lat_e7 + static_cast<std::int32_t>(std::lround(north * kBlockE7)), middle_.lng_e7},
        std::llround(east * kBlockE7 / shrink));
  }

  const OsmData& map() const { return map_; }

  /// Written to a file and read from it.
  std::unique_ptr<Streets> Load() const {
    const testing::TempFolder folder;
    const std::string path = folder.File("town.osm.pbf");
    EXPECT_THAT(WriteOsmFile(map_, path), testing::IsOk());
    auto streets = Streets::Load(path);
    EXPECT_THAT(streets, testing::IsOk());
    return *std::move(streets);
  }

 private:
  static constexpr int kHalf = kSide / 2;
  static constexpr std::int32_t kAntimeridianE7 = 1'800'000'000;
  static constexpr std::int64_t kEastern = 1'000;

  static std::int64_t Node(int row, int column) { return 1 + row * kSide + column; }

  void AddRow(int row) {
    OsmWay way{100 + row, {}, {{"highway", "residential"}, {"name", "Row"}}};
    if (row % 2 == 1 && row != kHalf) way.tags.emplace_back("oneway", "yes");
    for (int column = 0; column < kSide; ++column) {
      way.node_ids.push_back(Node(row, column));
      if (column != kHalf) continue;
      map_.ways.push_back(way);
      way.id += 500;
      way.node_ids = {Node(row, column) + (cut_ ? kEastern : 0)};
    }
    map_.ways.push_back(way);
  }

  void AddColumn(int column) {
    OsmWay way{200 + column, {}, {{"highway", "tertiary"}, {"name", "Column"}}};
    // Starts at the middle, so that it is the restriction's `to` in one direction only.
    for (int row = column == kHalf ? kHalf : 0; row < kSide; ++row) {
      way.node_ids.push_back(Node(row, column));
    }
    map_.ways.push_back(way);
    if (column != kHalf) return;
    way.id += 500;
    way.node_ids.clear();
    for (int row = 0; row <= kHalf; ++row) way.node_ids.push_back(Node(row, column));
    map_.ways.push_back(way);
  }

  const LatLng middle_;
  const bool cut_;
  OsmData map_;
};

}  // namespace ridestream::roads
