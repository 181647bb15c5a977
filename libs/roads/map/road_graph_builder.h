#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/roads/map/street_tags.h"
#include "libs/roads/map/turn_restriction.h"
#include "libs/roads/map/turn_rules.h"

namespace ridestream::roads {

/// Elements of a map that its RoadGraph leaves out.
struct LeftOut {
  TagCounts tags;
  /// Directed segments that are not connected to the rest of the city in both directions.
  std::uint32_t unconnected_segments = 0;
  /// Barriers at which streets end.
  std::uint32_t closed_barriers = 0;
  /// Directed segments for rides that begin or end there that were opened to all, because they are
  /// the only way to other streets.
  std::uint32_t opened_destination_segments = 0;

  friend bool operator==(const LeftOut&, const LeftOut&) = default;
};

/// For people: "left out: 14 segments that aren't connected, 2 ferries"; "" if nothing was.
std::string Describe(const LeftOut& left_out);

/// Builds a RoadGraph from ways, the positions of their points, and relations, as in OpenStreetMap.
/// Add all ways first, then all positions, then call Build; relations may be added at any time.
/// Everything but streets and turn restrictions is ignored, so a whole map may be passed in. Not
/// thread-safe.
class RoadGraphBuilder {
 public:
  struct Options {
    /// Leaves out everything outside of the largest strongly connected component: streets that have
    /// no permitted way to the rest of the city, or from it.
    bool only_largest_component = true;
  };

  RoadGraphBuilder() = default;
  explicit RoadGraphBuilder(Options options) : options_(options) {}

  /// A way along these points. Ignored unless a car may drive it, see ReadStreetTags.
  void AddWay(std::int64_t way_id, std::span<const std::int64_t> node_ids, const Tags& tags);

  /// A relation. Ignored unless it is a turn restriction, see ReadTurnRestriction.
  void AddRelation(std::span<const RelationMember> members, const Tags& tags);

  /// The tags of a point. Ignored unless a way that was added has it and its tags close it to cars,
  /// see MayPassNode: the streets that meet there then end there.
  void SetNodeTags(std::int64_t node_id, const Tags& tags);

  /// Sets the position of a point. Ignored unless an added way contains the point. If a point's
  /// position is never set, as at the cut edge of an extract, its ways are interrupted there. A
  /// point at 180 degrees and one at -180 are the same if they are at most 1 m apart, because maps
  /// end there, and so do their ways.
  void SetPosition(std::int64_t node_id, LatLng position);

  /// FAILED_PRECONDITION if there is no drivable street. Reports the outcomes of the turn
  /// restrictions in `counts`, and what the graph leaves out in `left_out`, unless these are null.
  absl::StatusOr<RoadGraph> Build(RestrictionCounts* counts = nullptr,
                                  LeftOut* left_out = nullptr) &&;

 private:
  struct Point {
    LatLng position;
    bool has_position = false;
    bool is_closed = false;  // by a barrier
    std::uint8_t uses = 0;   // by ways, an end counting 2; a junction from 2 on
  };
  struct Way {
    std::int64_t id;
    std::size_t first_segment;  // the others follow it, up to those of the next way
  };
  struct Segment {
    NodeIndex from;
    NodeIndex to;
    float forward_kmh;
    float backward_kmh;
    std::uint32_t name;
    bool forward_is_destination_only;
    bool backward_is_destination_only;
    bool may_stop;
  };
  struct Crossing {
    std::size_t way;  // index into ways_
    double seconds;
  };

  void JoinAcrossAntimeridian();
  NodeIndex UsePoint(std::int64_t node_id, std::uint8_t uses);
  std::uint32_t NameIndex(std::string_view name);
  void EndStreetsAtBarriers();
  void TimeCrossings();
  std::vector<Edge> MakeEdges() const;
  RoadGraph MakeGraph(std::vector<Edge> edges, std::vector<EdgePath> forbidden,
                      std::vector<NodeIndex>& new_index) const;
  WayCourses FindCourses(std::span<const NodeIndex> new_index) const;
  absl::Status KeepLargestComponent(std::vector<Edge>& edges, std::vector<EdgePath>& forbidden);
  void OpenOnlyWays(std::vector<Edge>& edges, const std::vector<EdgePath>& forbidden);
  std::vector<EdgePath> FindForbidden(const std::vector<Edge>& edges);

  Options options_;
  absl::flat_hash_map<std::int64_t, NodeIndex> index_of_;
  std::vector<Point> points_;
  std::vector<Segment> segments_;
  std::vector<Way> ways_;
  std::vector<Crossing> crossings_;  // ferries whose duration is known
  LeftOut left_out_;
  std::vector<TurnRestriction> restrictions_;
  RestrictionCounts restriction_counts_;  // of those that could be judged without the graph
  absl::flat_hash_map<std::string, std::uint32_t> name_index_;
  std::vector<std::string> names_;
};

}  // namespace ridestream::roads
