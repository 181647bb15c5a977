#include "tests/sim/town.h"

#include <cstdint>
#include <utility>

#include "libs/roads/map/osm_data.h"
#include "libs/roads/map/road_graph_builder.h"

namespace ridestream::sim {
namespace {

constexpr LatLng kSouthWest{450'000'000, -300'000'000};
/// As many streets run from west to east as from south to north.
constexpr int kStreets = 8;
constexpr double kBlockM = 150;
constexpr char kMaxSpeedKmh[] = "43";

std::unique_ptr<const roads::Streets> MakeStreets() {
  roads::OsmData map;
  const auto node = [](int north, int east) { return std::int64_t{north} * kStreets + east + 1; };
  for (int north = 0; north < kStreets; ++north) {
    for (int east = 0; east < kStreets; ++east) {
      map.nodes.push_back(
          {node(north, east), OffsetBy(kSouthWest, north * kBlockM, east * kBlockM)});
    }
  }
  for (int street = 0; street < kStreets; ++street) {
    roads::OsmWay along{street + 1, {}, {{"highway", "residential"}, {"maxspeed", kMaxSpeedKmh}}};
    roads::OsmWay across{kStreets + street + 1, {}, along.tags};
    for (int corner = 0; corner < kStreets; ++corner) {
      along.node_ids.push_back(node(street, corner));
      across.node_ids.push_back(node(corner, street));
    }
    map.ways.push_back(std::move(along));
    map.ways.push_back(std::move(across));
  }
  roads::RoadGraphBuilder builder;
  AddTo(builder, map);
  return roads::Streets::Build("town", std::move(builder)).value();
}

}  // namespace

std::shared_ptr<const roads::Streets> TownStreets() {
  static const std::shared_ptr<const roads::Streets> streets = MakeStreets();
  return streets;
}

LatLng SomewhereInTown(loadtest::Random& random) {
  double north_m = static_cast<double>(random.Below(kStreets)) * kBlockM;
  double east_m = random.Between(0, (kStreets - 1) * kBlockM);
  if (random.Chance(0.5)) std::swap(north_m, east_m);
  return OffsetBy(kSouthWest, north_m, east_m);
}

}  // namespace ridestream::sim
