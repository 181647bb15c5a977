#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/roads/map/osm_data.h"
#include "libs/roads/map/road_graph_builder.h"

namespace ridestream::roads {

/// A small map for tests, drawn in metres around a place in Porto.
class TestMap {
 public:
  using TagList = std::vector<std::pair<std::string, std::string>>;

  static LatLng At(double east_m, double north_m) {
    return OffsetBy(LatLng::FromDegrees(41.15, -8.61), north_m, east_m);
  }

  std::int64_t AddNode(double east_m, double north_m, const TagList& more = {}) {
    map_.nodes.push_back({next_id_, At(east_m, north_m), more});
    return next_id_++;
  }

  /// Two-way at 36 km/h (10 m/s), unless `more` says otherwise. Returns the way's id.
  std::int64_t AddStreet(std::vector<std::int64_t> node_ids, const TagList& more = {}) {
    OsmWay way{next_id_++, std::move(node_ids), more};
    way.tags.emplace_back("highway", "residential");
    way.tags.emplace_back("maxspeed", "36");
    map_.ways.push_back(std::move(way));
    return map_.ways.back().id;
  }

  static OsmRelation::Member Way(std::int64_t id, std::string role) {
    return {RelationMember::Type::kWay, id, std::move(role)};
  }
  static OsmRelation::Member Node(std::int64_t id, std::string role) {
    return {RelationMember::Type::kNode, id, std::move(role)};
  }

  /// A way with these tags alone, such as a ferry.
  void AddWay(std::vector<std::int64_t> node_ids, const TagList& tags) {
    map_.ways.push_back({next_id_++, std::move(node_ids), tags});
  }

  /// A turn restriction of this kind, e.g. "no_left_turn".
  void AddRestriction(const std::string& kind, std::vector<OsmRelation::Member> members,
                      const TagList& more = {}) {
    OsmRelation relation{next_id_++, std::move(members), more};
    relation.tags.emplace_back("type", "restriction");
    if (!kind.empty()) relation.tags.emplace_back("restriction", kind);
    map_.relations.push_back(std::move(relation));
  }

  OsmData& data() { return map_; }

  absl::StatusOr<RoadGraph> Build(RoadGraphBuilder::Options options = {},
                                  RestrictionCounts* counts = nullptr,
                                  LeftOut* left_out = nullptr) const {
    RoadGraphBuilder builder(options);
    AddTo(builder, map_);
    return std::move(builder).Build(counts, left_out);
  }

 private:
  OsmData map_;
  std::int64_t next_id_ = 1;
};

inline const TestMap::TagList kOneway = {{"oneway", "yes"}};

}  // namespace ridestream::roads
