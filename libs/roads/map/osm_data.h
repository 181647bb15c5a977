#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/geo.h"
#include "libs/roads/map/road_graph_builder.h"

namespace ridestream::roads {

/// A map in memory, in OpenStreetMap's terms. The built-in city is created in this form, and tests
/// write it to files.
struct OsmNode {
  std::int64_t id = 0;
  LatLng position;
  std::vector<std::pair<std::string, std::string>> tags = {};
};
struct OsmWay {
  std::int64_t id = 0;
  std::vector<std::int64_t> node_ids;
  std::vector<std::pair<std::string, std::string>> tags;
};
struct OsmRelation {
  struct Member {
    RelationMember::Type type = RelationMember::Type::kNode;
    std::int64_t id = 0;
    std::string role;
  };
  std::int64_t id = 0;
  std::vector<Member> members;
  std::vector<std::pair<std::string, std::string>> tags;
};
struct OsmData {
  std::vector<OsmNode> nodes;
  std::vector<OsmWay> ways;
  std::vector<OsmRelation> relations;
};

/// Passes the map to `builder`, as ReadOsmFile does with a file.
inline void AddTo(RoadGraphBuilder& builder, const OsmData& map) {
  Tags tags;
  for (const OsmWay& way : map.ways) {
    tags.Clear();
    for (const auto& [key, value] : way.tags) tags.Add(key, value);
    builder.AddWay(way.id, way.node_ids, tags);
  }
  std::vector<RelationMember> members;
  for (const OsmRelation& relation : map.relations) {
    tags.Clear();
    for (const auto& [key, value] : relation.tags) tags.Add(key, value);
    members.clear();
    for (const auto& member : relation.members) {
      members.push_back({member.type, member.id, member.role});
    }
    builder.AddRelation(members, tags);
  }
  for (const OsmNode& node : map.nodes) {
    builder.SetPosition(node.id, node.position);
    tags.Clear();
    for (const auto& [key, value] : node.tags) tags.Add(key, value);
    builder.SetNodeTags(node.id, tags);
  }
}

}  // namespace ridestream::roads
