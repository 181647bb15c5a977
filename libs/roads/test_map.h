#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/roads/osm_data.h"
#include "libs/roads/road_graph.h"
#include "libs/roads/road_graph_builder.h"

namespace ridestream::roads {

/// A small map for tests, drawn in metres around a place in Porto.
class TestMap {
 public:
  using TagList = std::vector<std::pair<std::string, std::string>>;

  static LatLng At(double east_m, double north_m) {
    return OffsetBy(LatLng::FromDegrees(41.15, -8.61), north_m, east_m);
  }

  std::int64_t AddNode(double east_m, double north_m) {
    map_.nodes.push_back({next_id_, At(east_m, north_m)});
    return next_id_++;
  }

  /// Two-way at 36 km/h (10 m/s), unless `more` says otherwise.
  void AddStreet(std::vector<std::int64_t> node_ids, const TagList& more = {}) {
    OsmWay way{next_id_++, std::move(node_ids), more};
    way.tags.emplace_back("highway", "residential");
    way.tags.emplace_back("maxspeed", "36");
    map_.ways.push_back(std::move(way));
  }

  OsmData& data() { return map_; }

  absl::StatusOr<RoadGraph> Build(RoadGraphBuilder::Options options = {}) const {
    RoadGraphBuilder builder(options);
    AddTo(builder, map_);
    return std::move(builder).Build();
  }

 private:
  OsmData map_;
  std::int64_t next_id_ = 1;
};

inline const TestMap::TagList kOneway = {{"oneway", "yes"}};

}  // namespace ridestream::roads
